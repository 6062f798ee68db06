import fs, { type FileHandle } from 'node:fs/promises';
import { Claims } from '../../src/ipam/claims.ts';
import { parseCidr } from '../../src/network/cidr.ts';
import { loadLibc } from '../../src/network/netlink/libc.ts';
import { decode } from '../../src/network/netlink/message.ts';
import { StateFile } from '../../src/state/state.ts';
import { kernelEngine } from './kernel-engine.ts';

/**
 * Runs one action, and kills itself by SIGKILL after its STEPth step; ends with status 0 when it has fewer steps.
 *
 *     killed-process.ts STEP give STATE_FOLDER NSPATH CONTAINER CIDR…    claims and attaches
 *     killed-process.ts STEP take STATE_FOLDER NSPATH CONTAINER CIDR…    releases and detaches
 *     killed-process.ts STEP attach|detach STATE_FOLDER NSPATH CONTAINER CIDR…
 *     killed-process.ts STEP bridge|expose|hide STATE_FOLDER - - CIDR…
 *
 * A step is anything with a lasting effect: a message that changes the network, entering a namespace and leaving it,
 * the lock, a write to the state file. Reading has none. Of several messages in one datagram
 * the kernel gets those up to the last one.
 */
const [step, verb, folder = '', nsPath = '', container = '', ...texts] = process.argv.slice(2);
const cidrs = texts.map(parseCidr);
const engine = kernelEngine();

const calls = { ...fs };
const state = await StateFile.open(folder, undefined, { calls });
let left = Number(step);
await killInKernel();
killInFiles();

switch (verb) {
  case 'give':
    await new Claims(state).add(container, cidrs);
    await engine.attach({ nsPath, container }, cidrs);
    break;
  case 'take': {
    const claims = new Claims(state);
    await claims.release(container, cidrs);
    await engine.detach({ nsPath, container }, cidrs);
    await claims.released(container, cidrs);
    break;
  }
  case 'attach':
    await engine.attach({ nsPath, container }, cidrs);
    break;
  case 'detach':
    await engine.detach({ nsPath, container }, cidrs);
    break;
  case 'bridge':
    await engine.ensureBridge();
    break;
  case 'expose':
    await engine.expose(cidrs);
    break;
  case 'hide':
    await engine.hide(cidrs);
    break;
  default:
    throw new Error(`no such verb: ${verb}`);
}

function done(): void {
  if (--left === 0) process.kill(process.pid, 'SIGKILL');
}

async function killInKernel(): Promise<void> {
  const libc = await loadLibc();
  const { send, sendOnPool, flock, inNamespace } = { ...libc };
  Object.assign(libc, {
    send: (socket: number, bytes: Buffer) => {
      const end = fatalEnd(bytes);
      send(socket, bytes.subarray(0, end));
      if (end !== undefined) process.kill(process.pid, 'SIGKILL');
    },
    sendOnPool: async (socket: number, bytes: Buffer) => {
      const end = fatalEnd(bytes);
      await sendOnPool(socket, bytes.subarray(0, end));
      if (end !== undefined) process.kill(process.pid, 'SIGKILL');
    },
    flock: (file: number, operation: number) => {
      flock(file, operation);
      done();
    },
    inNamespace: <T>(namespace: number, run: () => T): T => {
      const result = inNamespace(namespace, () => {
        done();
        return run();
      });
      done();
      return result;
    },
  });
}

/** The end of the message that is the last step of this process, if it is in this datagram. */
function fatalEnd(datagram: Buffer): number | undefined {
  let end = 0;
  for (const { type, body } of decode(datagram)) {
    end += 16 + ((body.length + 3) & ~3);
    const reads = type % 4 === 2; // linux/rtnetlink.h: new, delete, get, set
    if (!reads && --left === 0) return end;
  }
  return undefined;
}

function killInFiles(): void {
  const { open, rename } = { ...calls };
  const after = async <T>(work: Promise<T>): Promise<T> => {
    const result = await work;
    done();
    return result;
  };
  Object.assign(calls, {
    open: async (...given: Parameters<typeof open>) => {
      const file: FileHandle = await after(open(...given));
      const { writeFile, sync } = { writeFile: file.writeFile.bind(file), sync: file.sync.bind(file) };
      return Object.assign(file, {
        writeFile: async (text: string) => {
          await after(writeFile(text.slice(0, text.length / 2)));
          await after(writeFile(text.slice(text.length / 2)));
        },
        sync: () => after(sync()),
      });
    },
    rename: (...given: Parameters<typeof rename>) => after(rename(...given)),
  });
}
