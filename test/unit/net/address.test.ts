// Which addresses may talk to a peer, and how people spell them.
import { describe, expect, test } from 'vitest';
import {
  AddressRule,
  formatEndpoint,
  isOwnIp,
  isTailnetIp,
  parseEndpoint,
  parseHostName,
} from '../../../src/node/net/address.ts';

describe('the tailnet', () => {
  test.each([
    ['100.64.0.0', true],
    ['100.77.179.14', true],
    ['100.127.255.255', true],
    ['100.128.0.0', false],
    ['100.63.255.255', false],
    ['100.115.92.0', false],
    ['100.115.93.255', false],
    ['100.115.94.0', true],
    ['fd7a:115c:a1e0::1', true],
    ['fd7a:115c:a1e1::1', false],
    ['::ffff:100.77.179.14', true],
    ['::ffff:192.168.1.2', false],
    ['192.168.1.2', false],
    ['127.0.0.1', false],
    ['not an address', false],
  ])('%s: %s', (ip, expected) => {
    expect(isTailnetIp(ip)).toBe(expected);
  });
});

describe('the rule for remote addresses', () => {
  test('takes the tailnet and loopback, and nothing else', () => {
    const rule = new AddressRule();
    const all = [
      '100.77.179.14',
      '127.0.0.9',
      '::1',
      'fd7a:115c:a1e0::1',
      '192.168.7.1',
      '8.8.8.8',
      '::',
    ];
    expect(all.filter((ip) => rule.allows(ip))).toEqual(all.slice(0, 4));
  });

  test('takes what the user allows on top', () => {
    const rule = new AddressRule(['192.168.7.0/24', '10.0.0.5']);
    const all = ['192.168.7.1', '10.0.0.5', '192.168.8.1', '10.0.0.6'];
    expect(all.filter((ip) => rule.allows(ip))).toEqual(all.slice(0, 2));
    expect(() => new AddressRule(['somewhere'])).toThrow(RangeError);
    expect(() => new AddressRule(['10.0.0.0/99'])).toThrow(RangeError);
  });

  test('knows what is on this very machine', () => {
    expect(isOwnIp('127.0.0.77')).toBe(true);
    expect(isOwnIp('100.77.179.14')).toBe(false);
  });
});

describe('an address in words', () => {
  test.each([
    ['100.77.179.14', { ip: '100.77.179.14', port: 7420 }],
    ['100.77.179.14:9', { ip: '100.77.179.14', port: 9 }],
    ['fd7a::1', { ip: 'fd7a::1', port: 7420 }],
    ['[fd7a::1]:9', { ip: 'fd7a::1', port: 9 }],
    ['/ip4/100.77.179.14/tcp/9', { ip: '100.77.179.14', port: 9 }],
    ['100.77.179.14:0', undefined],
    ['100.77.179.14:70000', undefined],
    ['100.77.179', undefined],
    ['/ip4/100.77.179.14/udp/9', undefined],
    ['/nonsense', undefined],
    ['studio', undefined],
  ])('%s is %j', (words, endpoint) => {
    expect(parseEndpoint(words)).toEqual(endpoint);
    if (endpoint !== undefined) expect(parseEndpoint(formatEndpoint(endpoint))).toEqual(endpoint);
  });

  test.each([
    ['studio', { host: 'studio', port: 7420 }],
    ['studio.tail1234.ts.net:9', { host: 'studio.tail1234.ts.net', port: 9 }],
    ['-x', undefined],
    ['two words', undefined],
    ['', undefined],
  ])('%s may be the name %j', (words, name) => {
    expect(parseHostName(words)).toEqual(name);
  });
});
