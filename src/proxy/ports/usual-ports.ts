import type {AppPlan, Plan} from '../../model/plan.ts'
import {fnv1a} from '../../model/fnv1a.ts'
import {templateIdentity} from '../../platform/paths.ts'
import {appPortsAt} from './app-port.ts'

/** Ports that an app and its sidecar want. */
export interface WantedPorts {
  readonly httpPort: number
  readonly grpcPort: number
  readonly metricsPort: number
  /** Only displayed: nothing listens at it. */
  readonly internalGrpcPort: number
  /** The port of the app: the template's, or allocated for `autoPort`; 0: none, or any for a preferred port. */
  readonly appPort: number
}

/** Lowest port: above those that we allocate to apps (`app-port.ts`), below those that Linux gives for any port (`net.ipv4.ip_local_port_range`). */
const LOWEST = 30_000
const PER_SIDECAR = 4
const PLACES = Math.floor((32_768 - LOWEST) / PER_SIDECAR)

/**
 * Returns the ports that the sidecars of a template, and their apps, have in every run, if they are free: debuggers, bookmarks and
 * scripts know them. Ports are derived from the template's real path, the copy's name and the app's id, so nothing is stored; if two apps
 * would have the same, the second moves on.
 */
export function usualPorts({file, copy, apps}: Plan): (app: AppPlan) => WantedPorts | undefined {
  const taken = new Set<number>()
  const wanted = new Map<AppPlan, WantedPorts>()
  const real = file === '' ? '' : templateIdentity(file)
  for (const app of apps) {
    if (taken.size === PLACES) break
    const of = `${real || app.folder}${copy === undefined ? '' : `\n${copy}`}`
    let place = fnv1a(Buffer.from(`${of}\n${app.id}\n${app.version}\n${app.instance}`)) % PLACES
    while (taken.has(place)) place = (place + 1) % PLACES
    taken.add(place)
    const first = LOWEST + place * PER_SIDECAR
    wanted.set(app, {
      httpPort: first,
      grpcPort: first + 1,
      metricsPort: first + 2,
      internalGrpcPort: first + 3,
      appPort: 0
    })
  }
  return app => wanted.get(app)
}

/** Returns the ports for the app of a sidecar at its usual HTTP port, in the order to try; none otherwise. */
export function ownAppPorts(httpPort: number): readonly number[] {
  const place = (httpPort - LOWEST) / PER_SIDECAR
  return Number.isInteger(place) && place >= 0 && place < PLACES ? appPortsAt(place, PLACES) : []
}
