import { request } from 'node:http';

/** The address of the caller's Docker engine, as `docker` itself finds it. */
export function dockerHost() {
  return process.env.DOCKER_HOST || 'unix:///var/run/docker.sock';
}

/** Whether that engine answers; for TLS (port 2376) an open port counts as an answer. */
export function engineAnswers(host = dockerHost()) {
  const unix = host.startsWith('unix://') ? host.slice('unix://'.length) : undefined;
  const url = unix === undefined ? new URL(host.replace(/^\w+:/, 'http:')) : undefined;
  const target = unix === undefined ? { host: url.hostname, port: url.port || 2375 } : { socketPath: unix };
  return new Promise((resolve) => {
    const probe = request({ ...target, path: '/_ping', timeout: 3000 }, (response) => {
      response.resume();
      resolve(true);
    });
    probe.on('timeout', () => probe.destroy());
    probe.on('error', (error) => resolve(error.code === 'HPE_INVALID_CONSTANT'));
    probe.end();
  });
}
