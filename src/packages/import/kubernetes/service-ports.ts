// Kubernetes' Services: each has its own address, and this machine has each number once.
import type {ImportedFile} from '../imported.ts'
import {listedValues, mapOf, textsOf, textValue, type Values} from '../reading/yaml-file.ts'

/** An object of a manifest, and its file. */
export interface ManifestObject {
  readonly values: Values
  readonly file: ImportedFile
}

/** Port on which a container listens, and its port for callers. */
export interface ServicePort {
  readonly target: string
  readonly called: string
  readonly end: '/udp' | ''
}

/** The service that a host name means, and the ports at which it is called there. */
export interface KnownHost {
  readonly id: string
  readonly ports: readonly ServicePort[]
}
export type KnownHosts = ReadonlyMap<string, KnownHost>

/** Returns the ports of a Service, and the ports of its pods. */
export function servicePorts(service: Values, pod: Values): readonly ServicePort[] {
  const own = listedValues(pod['containers']).flatMap(each => listedValues(mapOf(each)['ports']).map(mapOf))
  return listedValues(mapOf(service['spec'])['ports']).map(each => {
    const {port, targetPort, protocol} = mapOf(each)
    const [called, wanted] = [textValue(port), textValue(targetPort) || textValue(port)]
    const named = own.find(({name}) => name === wanted) ?? own[0]
    const target = /^\d+$/.test(wanted) ? wanted : textValue(named?.['containerPort']) || called
    return {called, target, end: protocol === 'UDP' ? '/udp' : ''}
  })
}

const NAME =
  /(?<![\w.-])(http:\/\/)?([a-z0-9][a-z0-9-]*)(?:\.[a-z0-9-]+(?:\.svc(?:\.cluster\.local)?)?)?(?::(\d+)(?![\w.:-]|[^/\s,]*@)|(?=(:(?!\/\/))|[/?,]|$))/g

/** `api.shop.svc.cluster.local:80` is `api:8080` where there is such a service, and its container listens there. */
export const shortNames = (value: string, names: KnownHosts): string =>
  value.replaceAll(
    NAME,
    (whole, before: string | undefined, host: string, port: string | undefined, colon: string | undefined) => {
      const [found, wanted] = [names.get(host), port ?? (before !== undefined && colon === undefined ? '80' : '')]
      if (found === undefined) return whole
      const target = found.ports.find(({called}) => called === wanted)?.target ?? wanted
      return `${before ?? ''}${found.id}${target === '' || (target === '80' && !whole.endsWith(':80')) ? '' : `:${target}`}`
    }
  )

/** A forwarded port. */
export interface Forward {
  readonly here: string
  /** The port in the container, or that of its Service; empty: the first one of the container. */
  readonly inside: string
}

/** Services, of which one is called at the ports that are forwarded. */
export function withForwards<T extends Values>(services: T, id: string, forwards: readonly Forward[]): T {
  const service = services[id] as Values | undefined
  if (service === undefined || forwards.length === 0) return services
  const ports = textsOf(service['ports'])
  const forwarded = forwards.map(({here, inside}) => {
    const own = ports.find(port => inside === '' || port.startsWith(`${inside}:`)) ?? inside
    return `${here}:${lastOf(own) || here}`
  })
  const others = ports.filter(port => !forwarded.some(each => lastOf(each) === lastOf(port)))
  return {...services, [id]: {...service, ports: [...forwarded, ...others]}}
}

const lastOf = (port: string): string => port.split(':').at(-1) ?? ''
