import type {Admission, Admit, Held} from '../../gateway/admission.ts'
import type {Call} from '../../model/call.ts'
import type {Service} from '../service.ts'
import {Mirror, type Copy, type CopyOf, type Shadow, type ShadowPermit} from '../../net/mirror.ts'
import {admitBy, type Callee} from '../../gateway/local-apps.ts'
import type {Versioned, Versions} from './versions.ts'
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
  readonly #shadows = new WeakMap<Reachable, Shadow>()

  constructor(options: ServiceRouterOptions<Reachable>) {
    this.#options = options
    this.#mirror = new Mirror(text => options.reporter.warn('copies-lost', text))
  }

  /** Who answers for a name; where nobody here does, the call is taken elsewhere. */
  find(name: string): Service {
    const named = this.#options.versions.find(name)
    if (named === undefined) return this.#elsewhere(name)
    const {runtime, isById} = named
    return {
      name: runtime.id,
      version: runtime.plan.version,
      admit: (call, isRefused) => admitTo(runtime, call, isRefused),
      copy: isById ? this.copierOf(runtime.id) : undefined
    }
  }

  /** Takes a copy of a call to an id for its shadows; undefined where it has none. */
  copierOf(id: string): ((of: CopyOf) => Copy) | undefined {
    const runtimes = this.#options.versions.shadows(id)
    if (runtimes.length === 0) return undefined
    return of =>
      this.#mirror.copy(
        of,
        runtimes.map(runtime => this.#shadowOf(runtime))
      )
  }

  #shadowOf(runtime: Reachable): Shadow {
    const known = this.#shadows.get(runtime)
    if (known !== undefined) return known
    const shadow: Shadow = {
      name: `${runtime.id} ${runtime.plan.version}`,
      admit: ({method, path}) => {
        const answer = admitTo(runtime, {caller: 'a copy', callee: runtime.id, method, path}, false)
        return 'admitted' in answer ? answer.admitted.then(permitOrReason) : permitOrReason(answer)
      }
    }
    this.#shadows.set(runtime, shadow)
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

/** Lets a call into an app by the way that every call takes, or tells why not. */
const admitTo = (runtime: Reachable, call: Call, isRefused: boolean): Admission | Held =>
  admitBy(() => runtime, nowhere)(call, isRefused)

const nowhere: Admit = ({callee}) => ({ok: false, status: 500, error: `couldn't find service: ${callee}`})
