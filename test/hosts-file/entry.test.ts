import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { isHostName, parseHostEntry } from '../../src/hosts-file/entry.ts';

const anyText = fc.uint16Array({ maxLength: 8 }).map((codes) => String.fromCharCode(...codes));

describe('--add-host', () => {
  test.each([
    ['db:10.2.9.9', { name: 'db', ip: '10.2.9.9' }],
    ['db.example.org:fd00::9', { name: 'db.example.org', ip: 'fd00::9' }],
    ['db:[FD00:0::9]', { name: 'db', ip: 'fd00::9' }],
    ['my_db:::1', { name: 'my_db', ip: '::1' }],
  ])('%s is parsed, and formatted again', (text, entry) => {
    expect(parseHostEntry(text)).toEqual(entry);
    expect(parseHostEntry(`${entry.name}:${entry.ip}`)).toEqual(entry);
  });

  test.each([
    ['db', /"db" has no colon: expected .*db:10\.2\.9\.9/],
    ['', /"" has no colon/],
    [':10.2.9.9', /does not begin with a host name/],
    ['-db:10.2.9.9', /host name/],
    ['d b:10.2.9.9', /host name/],
    ['db\n10.0.0.1 evil:10.2.9.9', /"db\\n10\.0\.0\.1 evil:10\.2\.9\.9" does not begin with a host name/],
    ['db#:10.2.9.9', /host name/],
    ['db.:10.2.9.9', /host name/],
    [`${'a'.repeat(64)}:10.2.9.9`, /host name/],
    ['db:10.2.9.9/16', /does not end with an IP address/],
    ['db:010.2.9.9', /IP address/],
    ['db:host-gateway', /IP address/],
    ['db:10.2.9.9\n10.0.0.1 evil', /IP address/],
    ['db:fe80::1%eth0', /IP address/],
    ['10.2.9.9:db', /IP address/],
  ])('%j is refused, with the expected form', (text, message) => {
    expect(() => parseHostEntry(text)).toThrow(message);
  });

  it('never accepts text that could end a line, begin a comment or contain two names', () => {
    fc.assert(fc.property(anyText, (text) => !isHostName(`a${text}`) || /^[\w.-]*$/.test(text)));
  });
});
