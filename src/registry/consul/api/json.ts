import type { Check, Service } from '../../../services/service.ts';

/** The body of `/v1/agent/service/register`. */
export function registrationOf(service: Service): object {
  return { ...contentOf(service), Name: service.name, Checks: service.checks.map(checkOf) };
}

/** A service in the catalog's format; its checks are separate entries. */
export function catalogEntryOf(service: Service): object {
  return { ...contentOf(service), Service: service.name };
}

function contentOf(service: Service): object {
  const { id, tags, address, addresses, port, meta, weights } = service;
  return {
    ID: id,
    Tags: tags,
    Address: address,
    ...(addresses && { TaggedAddresses: taggedAddresses(addresses, port) }),
    Port: port,
    Meta: meta,
    Weights: { Passing: weights.passing, Warning: weights.warning },
    EnableTagOverride: service.enableTagOverride === true,
  };
}

function taggedAddresses({ ipv4, ipv6 }: NonNullable<Service['addresses']>, Port: number): object {
  return {
    ...(ipv4 !== undefined && { lan_ipv4: { Address: ipv4, Port } }),
    ...(ipv6 !== undefined && { lan_ipv6: { Address: ipv6, Port } }),
  };
}

/** How long the last reported status of a check that heddle runs stays valid without heddle. */
const REPORTED_TTL = '24h';

function checkOf(check: Check): object {
  const isRunHere = check.runBy === 'heddle';
  const common = {
    CheckID: check.id,
    Name: check.name,
    Interval: isRunHere ? undefined : check.interval,
    Timeout: isRunHere ? undefined : check.timeout,
    Status: check.status,
    DeregisterCriticalServiceAfter: check.deregisterAfter,
  };
  return { ...common, ...(isRunHere ? { TTL: REPORTED_TTL } : kindOf(check)) };
}

function kindOf(check: Check): object {
  switch (check.kind) {
    case 'http':
      return {
        HTTP: check.url,
        Method: check.method,
        Header: check.headers,
        TLSSkipVerify: check.tlsSkipVerify,
        // A container must not redirect the agent. Agents that do not know this field get no http check.
        DisableRedirects: true,
      };
    case 'tcp':
      return { TCP: check.target };
    case 'udp':
      return { UDP: check.target };
    case 'grpc':
      return { GRPC: check.target, GRPCUseTLS: check.tls, TLSSkipVerify: check.tlsSkipVerify };
    case 'h2ping':
      return { H2PING: check.target, TLSSkipVerify: check.tlsSkipVerify };
    case 'ttl':
    case 'healthcheck':
      return { TTL: check.ttl };
    case 'script':
      return { Args: check.args };
    case 'docker':
      return { DockerContainerID: check.container, Shell: check.shell, Args: check.args };
  }
}
