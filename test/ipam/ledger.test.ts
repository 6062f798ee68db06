import { describe, expect, it, onTestFinished } from 'vitest';
import type { Ledger } from '../../src/ipam/ledger.ts';
import { LocalLedger } from '../../src/ipam/local-ledger.ts';
import { formatCidr, parseCidr } from '../../src/network/cidr.ts';
import { StateFile } from '../../src/state/state.ts';
import { FailingFiles } from '../support/failing-files.ts';
import { temporaryFolder } from '../support/folder.ts';

/** A ledger under test, and what the contract needs besides its interface. */
interface Rig {
  readonly ledger: Ledger;
  /** A ledger of the same records, as the next process of this host opens it. */
  reopen(): Promise<Ledger>;
  /** While true, nothing can be made durable. */
  fail(isFailing: boolean): void;
}

async function localLedger(): Promise<Rig> {
  const folder = await temporaryFolder();
  onTestFinished(() => folder[Symbol.asyncDispose]());
  const files = new FailingFiles();
  const open = async () => {
    const state = await StateFile.open(folder.path, () => '0123456789ab', { calls: files });
    onTestFinished(() => state.close());
    return state;
  };
  const state = await open();
  return {
    ledger: new LocalLedger(state),
    reopen: async () => {
      await state.close();
      return new LocalLedger(await open());
    },
    fail: (isFailing) => {
      files.fault = isFailing ? { step: 'write', code: 'ENOSPC' } : undefined;
    },
  };
}

const LEDGERS: readonly (readonly [string, () => Promise<Rig>])[] = [['local', localLedger]];

const [first, second] = [parseCidr('10.2.1.1/16'), parseCidr('10.2.1.2/16')] as const;

/** All that a ledger answers, as text. */
const read = (ledger: Ledger) => ({
  owners: Object.fromEntries(
    ledger.owners().map((owner) => [owner, (ledger.of(owner) ?? []).map(formatCidr).join(' ')]),
  ),
  having: [first, second].map(({ ip }) => ledger.withAddress(ip).toSorted().join(' ')),
  networks: ledger.networks().map(formatCidr),
  releasing: ledger.releasing('web').map(formatCidr),
});
const EMPTY = { owners: {}, having: ['', ''], networks: [], releasing: [] };

describe.each(LEDGERS)('the %s ledger', (_, begin) => {
  it('assigns addresses in their order, once, and keeps them for the next process', async () => {
    const { ledger, reopen } = await begin();
    expect(read(ledger)).toEqual(EMPTY);
    await ledger.assign('web', [second], 'required');
    await ledger.assign('web', [first, second], 'required');
    await ledger.assign('web', [first], 'required');
    const expected = {
      owners: { web: '10.2.1.2/16 10.2.1.1/16' },
      having: ['web', 'web'],
      networks: ['10.2.0.0/16'],
      releasing: [],
    };
    expect(read(ledger)).toEqual(expected);
    expect(read(await reopen())).toEqual(expected);
  });

  it('answers at once what a pending write changes, so that two callers cannot take one address', async () => {
    const { ledger } = await begin();
    const writes = [ledger.assign('web', [first], 'required'), ledger.assign('db', [second], 'later')];
    expect(read(ledger)).toMatchObject({ having: ['web', 'db'], networks: ['10.2.0.0/16'] });
    writes.push(ledger.remove('web', [first], 'required'), ledger.forget('db'));
    expect(read(ledger)).toMatchObject({ owners: { web: '' }, having: ['', ''], networks: [] });
    await Promise.all(writes);
  });

  it('lets containers of one network namespace share an address', async () => {
    const { ledger } = await begin();
    await ledger.assign('web', [first], 'required');
    await ledger.assign('sidecar', [first], 'required');
    expect(read(ledger)).toMatchObject({ having: ['sidecar web', ''], networks: ['10.2.0.0/16'] });
  });

  it('records an owner without any address until it is forgotten', async () => {
    const { ledger, reopen } = await begin();
    await ledger.assign('web', [first], 'required');
    for (let times = 0; times < 2; times++) await ledger.remove('web', [first, second], 'required');
    await ledger.assign('none', [], 'required');
    expect(read(ledger)).toEqual({ ...EMPTY, owners: { web: '', none: '' } });
    for (let times = 0; times < 2; times++) await ledger.forget('web');
    await ledger.forget('none');
    expect(read(ledger)).toEqual(EMPTY);
    expect(ledger.of('web')).toBeUndefined();
    expect(read(await reopen())).toEqual(EMPTY);
  });

  it('frees a released address at once, for its owner and all that share it, and no one else', async () => {
    const { ledger, reopen } = await begin();
    await ledger.assign('web', [first, second], 'required');
    await ledger.assign('sidecar', [first], 'required');
    await ledger.assign('other', [second], 'required');
    const sharing = ['sidecar', 'other', 'unknown'];
    for (let times = 0; times < 2; times++) await ledger.release('web', [first], sharing);
    const expected = {
      owners: { web: '10.2.1.2/16', sidecar: '', other: '10.2.1.2/16' },
      having: ['', 'other web'],
      releasing: ['10.2.1.1/16'],
    };
    expect(read(ledger)).toMatchObject(expected);
    expect(read(await reopen())).toMatchObject(expected);
  });

  it('is releasing an address until that is released, assigned anew, or forgotten with its owner', async () => {
    const { ledger } = await begin();
    const ends = [
      async () => {
        for (let times = 0; times < 2; times++) await ledger.released('web', [first]);
      },
      () => ledger.assign('web', [first], 'required'),
      () => ledger.assign('other', [first], 'required'),
      () => ledger.forget('web'),
    ];
    for (const end of ends) {
      await ledger.release('web', [first], []);
      expect(read(ledger).releasing).toEqual(['10.2.1.1/16']);
      await end();
      expect(read(ledger).releasing).toEqual([]);
    }
  });

  it('undoes what must be durable and cannot be, and keeps what need not be', async () => {
    const { ledger, reopen, fail } = await begin();
    await ledger.assign('web', [first], 'required');
    const before = read(ledger);
    fail(true);
    for (const write of [
      () => ledger.assign('db', [second], 'required'),
      () => ledger.remove('web', [first], 'required'),
      () => ledger.release('web', [first], []),
    ]) {
      await expect(write()).rejects.toMatchObject({ code: 'failed' });
      expect(read(ledger)).toEqual(before);
    }
    await ledger.assign('db', [second], 'later');
    await ledger.forget('web');
    await ledger.released('web', [first]);
    fail(false);
    expect(read(await reopen())).toMatchObject({ owners: { db: '10.2.1.2/16' }, having: ['', 'db'] });
  });
});
