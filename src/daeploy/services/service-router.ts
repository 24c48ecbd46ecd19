import type {Admission, Admit} from '../../gateway/admission.ts'
import type {Service} from '../service.ts'
import {Mirror, type Copy, type CopyOf, type Shadow, type ShadowPermit} from '../../net/mirror.ts'
import {admitBy, type Instances} from '../../gateway/instances.ts'
import type {Callee} from '../../gateway/local-apps.ts'
import type {Named, Versioned, Versions} from './versions.ts'
import type {Reporter} from '../../model/reporter.ts'

/** An app as calls to its name see it. */
export interface Reachable extends Versioned, Callee {
  readonly id: string
}

export interface ServiceRouterOptions<M> {
  readonly versions: Versions<M & Reachable>
  /** Takes calls to what no app of the run is called. */
  readonly elsewhere: Admit
  readonly reporter: Reporter
}

/** How calls to `<name>` and `<name>_<version>` get to an app, and copies of those to a name to its shadows. */
export class ServiceRouter {
  readonly #options: ServiceRouterOptions<Reachable>
  readonly #mirror: Mirror
  readonly #shadows = new WeakMap<Reachable | Instances, Shadow>()

  constructor(options: ServiceRouterOptions<Reachable>) {
    this.#options = options
    this.#mirror = new Mirror(text => options.reporter.warn('copies-lost', text))
  }

  /** Who answers for a name; where nobody here does, the call is taken elsewhere. */
  find(name: string): Service {
    const named = this.#options.versions.find(name)
    if (named === undefined) return this.#elsewhere(name)
    const {runtime, callee, isById} = named
    return {
      name: runtime.id,
      version: runtime.plan.version,
      admit: (call, isRefused) => admitBy(() => callee, nowhere)(call, isRefused),
      copy: isById ? this.copierOf(runtime.id) : undefined
    }
  }

  /** Takes a copy of a call to an id for its shadows; undefined where it has none. */
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
    const admit = admitBy(() => callee, nowhere)
    const shadow: Shadow = {
      name: `${runtime.id} ${runtime.plan.version}`,
      admit: ({method, path}) => {
        const answer = admit({caller: 'a copy', callee: runtime.id, method, path})
        return 'admitted' in answer ? answer.admitted.then(permitOrReason) : permitOrReason(answer)
      }
    }
    this.#shadows.set(callee, shadow)
    return shadow
  }

  /** Its own name and version are for the other run to find out. */
  #elsewhere(segment: string): Service {
    const name = nameIn(segment)
    return {
      name,
      version: '',
      admit: (call, isRefused) => {
        const answer = this.#options.elsewhere(call, isRefused)
        if (!('admitted' in answer)) return translated(answer, segment)
        const admitted = answer.admitted.then(later => translated(later, segment))
        return {admitted, cancel: () => answer.cancel()}
      },
      copy: undefined
    }
  }
}

const permitOrReason = (answer: Admission): ShadowPermit | string => (answer.ok ? answer : answer.error)

/** The other run's sidecar is told the whole path: its own main and shadows count. */
const translated = (answer: Admission, segment: string): Admission =>
  answer.ok ? {...answer, pathPrefix: `/services/${encodeURIComponent(segment)}`} : answer

/** `<name>_<version>` → `<name>`: a version has points, a service's name has none. */
function nameIn(segment: string): string {
  const at = segment.lastIndexOf('_')
  return at > 0 && /^\d+\.\d+\.\d+/.test(segment.slice(at + 1)) ? segment.slice(0, at) : segment
}

const nowhere: Admit = ({callee}) => ({ok: false, status: 500, error: `couldn't find service: ${callee}`})
