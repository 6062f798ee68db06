import { PassThrough } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { type ContainerEvent, EVENTS_RETRY, EventStream, parseEvent } from '../../src/docker/events.ts';
import { backoff, WITHOUT_JITTER } from '../../src/runtime/backoff.ts';
import { silentLogger } from '../../src/runtime/log.ts';
import { eventually } from '../support/eventually.ts';

const line = (action: string, id = 'c1', timeNano = 2e9) =>
  `${JSON.stringify({ Type: 'container', Action: action, Actor: { ID: id, Attributes: {} }, timeNano })}\n`;

describe('one event', () => {
  it.each([
    ['a start', line('start'), { container: 'c1', action: 'start', signal: undefined, time: 2 }],
    [
      'health, without the detail',
      line('health_status: healthy'),
      { container: 'c1', action: 'health_status', signal: undefined, time: 2 },
    ],
    [
      'a network connect, reported for the container',
      '{"Type":"network","Action":"connect","Actor":{"ID":"n1","Attributes":{"container":"c9"}},"time":7}',
      { container: 'c9', action: 'connect', signal: undefined, time: 7 },
    ],
    [
      'a kill with its signal',
      '{"Type":"container","Action":"kill","Actor":{"ID":"c1","Attributes":{"signal":"15"}},"time":7}',
      { container: 'c1', action: 'kill', signal: '15', time: 7 },
    ],
  ])('%s', (_, text, event) => {
    expect(parseEvent(text)).toEqual(event);
  });

  it.each(['', '{"Type":"contai', 'null', '[]', '{"Type":"network","Action":"connect","Actor":{"ID":"n1"}}'])(
    'leaves out %j',
    (text) => {
      expect(parseEvent(text)).toBeUndefined();
    },
  );
});

describe('the stream of events', () => {
  const opened: { since: number | undefined; stream: PassThrough }[] = [];
  const received: ContainerEvent[] = [];
  const calls: string[] = [];
  let refuse = 0;
  const docker = {
    events: async (since: number | undefined, signal: AbortSignal) => {
      if (refuse-- > 0) throw new Error('connection refused');
      const stream = new PassThrough();
      signal.addEventListener('abort', () => stream.destroy());
      opened.push({ since, stream });
      return stream;
    },
  };
  let events: EventStream | undefined;
  const start = () => {
    events = new EventStream(
      { docker, log: silentLogger },
      {
        subscribed: () => calls.push('subscribed'),
        event: (event) => received.push(event),
        lost: () => calls.push('lost'),
      },
    );
    events.start();
  };

  afterEach(async () => {
    await events?.stop();
    opened.length = received.length = calls.length = refuse = 0;
  });

  it('reports when it is open, and passes on each event when its line is complete', async () => {
    start();
    await eventually(() => expect(calls).toEqual(['subscribed']));
    opened[0]?.stream.write(`${line('start')}${line('die').slice(0, 9)}`);
    await eventually(() => expect(received.map((event) => event.action)).toEqual(['start']));
    opened[0]?.stream.write(line('die').slice(9));
    await eventually(() => expect(received.map((event) => event.action)).toEqual(['start', 'die']));
  });

  it('resumes a little before the last event if a stream breaks in the middle of a line', async () => {
    start();
    await eventually(() => expect(opened).toHaveLength(1));
    expect(opened[0]?.since).toBeUndefined();
    opened[0]?.stream.write(`${line('start', 'c1', 5e9)}{"Type":"cont`);
    await eventually(() => expect(received).toHaveLength(1));
    opened[0]?.stream.destroy(new Error('reset'));
    await eventually(() => expect(opened).toHaveLength(2));
    expect(opened[1]?.since).toBe(4);
    expect(calls).toEqual(['subscribed', 'lost', 'subscribed']);
  });

  it('reconnects without limit while the engine is away, and reports the loss once', async () => {
    refuse = 3;
    start();
    await eventually(() => expect(calls).toEqual(['lost', 'subscribed']), { within: 8000 });
  });

  it('stops at any time, even twice', async () => {
    refuse = 1000;
    start();
    await events?.stop();
    await events?.stop();
    expect(opened).toHaveLength(0);
  });

  it('waits longer after each failure, never long enough to be missed', () => {
    const delays = Array.from({ length: 12 }, (_, index) => backoff(index + 1, EVENTS_RETRY, WITHOUT_JITTER));
    expect(delays.slice(0, 2)).toEqual([100, 200]);
    expect(delays.at(-1)).toBe(200);
    expect(backoff(1, EVENTS_RETRY, () => 0)).toBe(50);
  });
});
