// Ports of this machine that a tool forwards to services of a cluster.
import {textsOf, type Values} from '../reading/yaml-file.ts'

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
