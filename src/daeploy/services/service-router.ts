import type {Admission, Admit} from '../../gateway/admission.ts'
import type {Service} from '../service.ts'
import {Mirror, type Copy, type CopyOf, type Shadow, type ShadowPermit} from '../../net/mirror.ts'
import {admitBy, type Instances} from '../../gateway/instances.ts'
import type {Callee} from '../../gateway/local-apps.ts'
import type {Named, Versioned, Versions} from './versions.ts'
import type {CallObserver} from '../../model/call.ts'
import type {Reporter} from '../../model/reporter.ts'

/** An app as the router needs it. */
export interface Reachable extends Versioned, Callee {
  readonly id: string
}

export interface ServiceRouterOptions<M> {
  readonly versions: Versions<M & Reachable>
  /** Admits calls to apps that are not part of this run. */
  readonly elsewhere: Admit
  readonly reporter: Reporter
  /** Is told of each copy for a shadow. */
  readonly observer?: CallObserver | undefined
}

/** Routes calls for `<name>` and `<name>_<version>` to an app, and mirrors calls for a name to its shadows. */
export class ServiceRouter {
  readonly #options: ServiceRouterOptions<Reachable>
  readonly #mirror: Mirror
  readonly #shadows = new WeakMap<Reachable | Instances, Shadow>()

  constructor(options: ServiceRouterOptions<Reachable>) {
    this.#options = options
    this.#mirror = new Mirror(text => options.reporter.warn('copies-lost', text), options.observer)
  }

  /** Copies of calls for shadows. */
  get copies(): Mirror['copies'] {
    return this.#mirror.copies
  }

  /** Finds the service for a name; if this run has none, calls are routed to other runs. */
  find(name: string): Service {
    const named = this.#options.versions.find(name)
    if (named === undefined) return this.#elsewhere(name)
    const {runtime, callee, isById} = named
    return {
      name: runtime.id,
      version: runtime.plan.version,
      admit: admitBy({find: () => callee, elsewhere: nowhere, identify: this.#options.versions.identify}),
      copy: isById ? this.copierOf(runtime.id) : undefined
    }
  }

  /** Mirrors calls for an id to its shadows; undefined if it has none. */
  copierOf(id: string): ((of: CopyOf) => Copy) | undefined {
    const versions = this.#options.versions.shadows(id)
    if (versions.length === 0) return undefined
    return of =>
      this.#mirror.copy(
        of,
        versions.map(version => this.#shadowOf(version))
      )
  }

  #shadowOf({runtime, callee}: Named<Reachable>): Shadow {
    const known = this.#shadows.get(callee)
    if (known !== undefined) return known
    const admit = admitBy({find: () => callee, elsewhere: nowhere}) // the call that is copied has been checked
    const shadow: Shadow = {
      name: `${runtime.id} ${runtime.plan.version}`,
      callee: `${runtime.id}@${runtime.plan.version}`,
      admit: ({method, path}) => {
        const admission = admit({caller: 'mirror', callee: runtime.id, method, path})
        return 'admitted' in admission ? admission.admitted.then(permitOrReason) : permitOrReason(admission)
      }
    }
    this.#shadows.set(callee, shadow)
    return shadow
  }

  /** The other run resolves name and version itself. */
  #elsewhere(segment: string): Service {
    const name = nameIn(segment)
    return {
      name,
      version: '',
      admit: (call, isRefused) => {
        const admission = this.#options.elsewhere(call, isRefused)
        if (!('admitted' in admission)) return withPrefix(admission, segment)
        const admitted = admission.admitted.then(later => withPrefix(later, segment))
        return {admitted, reason: admission.reason, cancel: () => admission.cancel()}
      },
      copy: undefined
    }
  }
}

const permitOrReason = (admission: Admission): ShadowPermit | string => (admission.ok ? admission : admission.error)

/** The other run's sidecar gets the whole path: its own main version and shadows are used. */
const withPrefix = (admission: Admission, segment: string): Admission =>
  admission.ok ? {...admission, pathPrefix: `/services/${encodeURIComponent(segment)}`} : admission

/** `<name>_<version>` → `<name>`: a version contains dots, a service's name does not. */
function nameIn(segment: string): string {
  const at = segment.lastIndexOf('_')
  return at > 0 && /^\d+\.\d+\.\d+/.test(segment.slice(at + 1)) ? segment.slice(0, at) : segment
}

const nowhere: Admit = ({callee}) => ({ok: false, status: 500, error: `couldn't find service: ${callee}`})
