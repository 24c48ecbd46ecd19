import type {AppPlan, Plan} from '../../model/plan.ts'
import {fnv1a} from '../../model/fnv1a.ts'
import {templateIdentity} from '../../platform/paths.ts'
import {appPortsAt} from './app-port.ts'

/** Preferred ports of an app and its sidecar. */
export interface WantedPorts {
  readonly httpPort: number
  readonly grpcPort: number
  readonly metricsPort: number
  /** Port that is only displayed, as nothing listens there. */
  readonly internalGrpcPort: number
  /** Port of the app, from the template or chosen for `autoPort`; 0: no port, or no preference. */
  readonly appPort: number
}

/** Lowest port of sidecars: above the ports for apps (`app-port.ts`). All are below Linux's ephemeral ports (`net.ipv4.ip_local_port_range`). */
const LOWEST = 30_000
const PER_SIDECAR = 4
const PLACES = Math.floor((32_768 - LOWEST) / PER_SIDECAR)

/**
 * Returns preferred ports that stay the same in every run, for debuggers, bookmarks and scripts. Computes them from the template's real path,
 * the name of the copy and the app's id, so that nothing is stored. If two apps get the same place, the second takes the next one.
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

/** Returns the ports to try for the app of a sidecar with this HTTP port, in order; empty: the HTTP port is not a preferred one. */
export function ownAppPorts(httpPort: number): readonly number[] {
  const place = (httpPort - LOWEST) / PER_SIDECAR
  return Number.isInteger(place) && place >= 0 && place < PLACES ? appPortsAt(place, PLACES) : []
}
