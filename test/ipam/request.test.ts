import { describe, expect, it } from 'vitest';
import { formatRequest, looksLikeRequest, parseRequest } from '../../src/ipam/request.ts';

describe('the syntax of an address request', () => {
  it.each([
    ['10.2.1.1/16', '10.2.1.1/16'],
    ['ip:10.2.1.1/16', '10.2.1.1/16'],
    ['fd00::1/64', 'fd00::1/64'],
    ['net:10.2.3.0/24', 'net:10.2.3.0/24'],
    ['net:default', 'net:default'],
  ])('%s means %s', (text, meaning) => {
    expect(looksLikeRequest(text)).toBe(true);
    expect(formatRequest(parseRequest(text))).toBe(meaning);
  });

  it.each([
    ['ip:10.2.1.1', /prefix length/],
    ['ip:10.2.1/16', /"10\.2\.1\/16"/],
    ['net:10.2.3.1/24', /net:10\.2\.3\.0\/24/],
    ['net:10.2.3.0/33', /0 to 32/],
    ['10.2.0.0/16', /is a network address/],
  ])('%s is meant as an address and refused', (text, sentence) => {
    expect(looksLikeRequest(text)).toBe(true);
    expect(() => parseRequest(text)).toThrow(sentence);
  });

  it.each(['nginx', 'net:5000/web', 'ip:latest', 'network:8080/x', '10.0.0.5:5000/web', '--net=host'])(
    '%s is no request',
    (text) => {
      expect(looksLikeRequest(text)).toBe(false);
    },
  );
});
