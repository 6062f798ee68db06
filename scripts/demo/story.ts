import { setTimeout as sleep } from 'node:timers/promises';
import { ROOT } from '../root.ts';
import { findConsul } from '../setup/consul.mjs';
import { dockerHost } from '../setup/docker-host.mjs';
import { DemoHost, PREFIX } from './host.ts';
import { containing, exactly, Stage } from './stage.ts';

export interface StoryOptions {
  /** End after the last line, instead of staying up. */
  readonly once: boolean;
  /** With a real Consul, which then answers the DNS queries. */
  readonly consul: boolean;
}

/** Runs the demo on this host's engine and cleans up. Resolves to the exit status, also after Ctrl-C. */
export async function runDemo(options: StoryOptions): Promise<number> {
  const interrupt = new AbortController();
  const stop = () => interrupt.abort();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);

  const host = await DemoHost.find();
  const stage = new Stage({ env: environment(host), signal: interrupt.signal });
  let status = 0;
  try {
    await host.prepare();
    await playStory(stage, host, options);
    if (options.once) stage.say('That is all. Cleaning up.');
    else await stayUp(stage, interrupt.signal);
  } catch (error) {
    status = interrupt.signal.aborted ? 130 : 1;
    if (!interrupt.signal.aborted) console.error(`\ndemo: ${error instanceof Error ? error.message : error}`);
  }
  await stage.close();
  await host.restore();
  return status;
}

/** The clone's `heddle` comes first on PATH. On a shared host, the demo's daemon has a control socket of its own. */
function environment(host: DemoHost): NodeJS.ProcessEnv {
  const folders = [`${ROOT}/bin`, process.env.PATH, '/usr/sbin', '/sbin'];
  const isShared = process.env.HEDDLE_WORLD === undefined;
  return {
    ...process.env,
    PATH: folders.join(':'),
    DOCKER_HOST: dockerHost(),
    HEDDLE_STATE_DIR: `${host.folder}/state`,
    ...(isShared ? { HEDDLE_SOCKET: `${host.folder}/heddle.sock` } : {}),
  };
}

async function playStory(stage: Stage, host: DemoHost, { consul }: StoryOptions): Promise<void> {
  if (consul) {
    stage.say('A real Consul agent.');
    await stage.runInBackground(
      `${findConsul()} agent -dev -node demo -data-dir ${host.folder}`,
      'Synced node info',
    );
  }
  stage.say('The heddle daemon: it follows Docker, keeps the registry up to date and answers DNS.');
  const registry = consul ? ' --registry consul://127.0.0.1:8500' : '';
  await stage.runInBackground(`heddle daemon --log-format json${registry}`, '"msg":"ready"');
  stage.say('A bridge for the containers, and the docker flags that point them to the resolver.');
  await stage.run('heddle create-bridge');
  const resolver = /--dns (\S+)/.exec(await stage.run('heddle dns-args'))?.[1];

  stage.say('Two web servers, each with an address of its own.');
  await stage.run(webServer(1, '-e SERVICE_NAME=web'));
  await stage.run(webServer(2, '-e SERVICE_NAME=web'));
  await stage.expect('heddle ps', containing('10.2.1.1', '10.2.1.2', 'ethwe'));

  const dig = consul ? 'dig -p 8600 @127.0.0.1' : `dig @${resolver}`;
  stage.say(
    `Their name, asked of ${consul ? "Consul's own DNS" : 'heddle'}: both addresses; then the ports as well.`,
  );
  await stage.expect(`${dig} +short web.service.dc1.consul`, exactly('10.2.1.1', '10.2.1.2'));
  await stage.expect(
    `${dig} +noall +answer web.service.dc1.consul SRV`,
    containing('80 0a020101.addr.dc1.consul.', '80 0a020102.addr.dc1.consul.'),
  );

  stage.say('A Marathon app: its path in the hierarchy becomes a name.');
  await stage.run(webServer(3, '-e MARATHON_APP_ID=/web/customer1/site1'));
  await stage.expect(`${dig} +short site1.customer1.web.service.dc1.consul`, exactly('10.2.1.3'));

  stage.say('The same from inside a container, through its own resolver; and a page, fetched by name.');
  await stage.expect(
    `docker exec ${PREFIX}web2 nslookup site1.customer1.web.service.dc1.consul`,
    containing('10.2.1.3'),
  );
  await stage.expect(
    `docker exec ${PREFIX}web2 wget -q -O - http://site1.customer1.web.service.dc1.consul/`,
    exactly('hello from 10.2.1.3'),
  );
  await stage.expect(`docker exec ${PREFIX}web2 ip route get 10.2.1.3`, containing('dev ethwe'));

  stage.say('One container is killed: its address leaves the answers immediately.');
  await stage.run(`docker kill ${PREFIX}web1`);
  await stage.expect(`${dig} +short web.service.dc1.consul`, exactly('10.2.1.2', '10.2.1.3'));
  await stage.expect('heddle ps', containing('10.2.1.2', '10.2.1.3'));
}

/** A small web server at 10.2.1.N that serves its address. */
function webServer(number: number, naming: string): string {
  const page = `echo hello from 10.2.1.${number} > index.html && exec httpd -f -p 80`;
  const docker = `--name ${PREFIX}web${number} ${naming} --expose 80 -w /tmp`;
  return `heddle run --with-dns 10.2.1.${number}/16 ${docker} busybox sh -c '${page}'`;
}

async function stayUp(stage: Stage, interrupt: AbortSignal): Promise<void> {
  stage.say('The demo stays up until Ctrl-C; then it removes everything.');
  while (!interrupt.aborted) await sleep(60_000, undefined, { signal: interrupt }).catch(() => {});
}
