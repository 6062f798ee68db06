import { describe, expect, it } from 'vitest';
import { formatRequest, looksLikeRequest, parseRequest } from '../../src/ipam/request.ts';

describe('the words for an address', () => {
  it.each([
    ['10.2.1.1/16', '10.2.1.1/16'],
    ['ip:10.2.1.1/16', '10.2.1.1/16'],
    ['fd00::1/64', 'fd00::1/64'],
    ['net:10.2.3.0/24', 'net:10.2.3.0/24'],
    ['net:default', 'net:default'],
  ])('%s means %s', (word, meaning) => {
    expect(looksLikeRequest(word)).toBe(true);
    expect(formatRequest(parseRequest(word))).toBe(meaning);
  });

  it.each([
    ['ip:10.2.1.1', /prefix length/],
    ['ip:10.2.1/16', /"10\.2\.1\/16"/],
    ['net:10.2.3.1/24', /net:10\.2\.3\.0\/24/],
    ['net:10.2.3.0/33', /0 to 32/],
    ['10.2.0.0/16', /name of a network/],
  ])('%s is meant as an address and refused', (word, sentence) => {
    expect(looksLikeRequest(word)).toBe(true);
    expect(() => parseRequest(word)).toThrow(sentence);
  });

  it.each(['nginx', 'net:5000/web', 'ip:latest', 'network:8080/x', '10.0.0.5:5000/web', '--net=host'])(
    '%s is none',
    (word) => {
      expect(looksLikeRequest(word)).toBe(false);
    },
  );
});
