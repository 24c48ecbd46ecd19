import type {Admission, Call, Held, Service} from '../admission.ts'
import type {Admission as Elsewhere, Admit} from '../../gateway/admission.ts'
import {Mirror, type Copy, type CopyOf, type Shadow, type ShadowPermit} from '../../net/mirror.ts'
import {admitBy, type Callee} from '../../gateway/local-apps.ts'
import type {Versioned, Versions} from './versions.ts'

/** An app as calls to its name see it. */
export interface Reachable extends Versioned, Callee {
  readonly id: string
}

export interface ServiceRouterOptions<M> {
  readonly versions: Versions<M & Reachable>
  /** Takes calls to what no app of the run is called. */
  readonly elsewhere: Admit
  readonly warn: (text: string) => void
}

/** How calls to `<name>` and `<name>_<version>` get to an app, and copies of those to a name to its shadows. */
export class ServiceRouter {
  readonly #options: ServiceRouterOptions<Reachable>
  readonly #mirror: Mirror
  readonly #shadows = new WeakMap<Reachable, Shadow>()

  constructor(options: ServiceRouterOptions<Reachable>) {
    this.#options = options
    this.#mirror = new Mirror(options.warn)
  }

  /** Who answers for a name; where nobody here does, the call is taken elsewhere. */
  find(name: string): Service {
    const named = this.#options.versions.find(name)
    if (named === undefined) return this.#elsewhere(name)
    const {runtime, isById} = named
    return {
      name: runtime.id,
      version: runtime.plan.version,
      admit: call => admitTo(runtime, call),
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
        const answer = admitTo(runtime, {caller: 'a copy', method, path, refused: false})
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
      admit: call => {
        const answer = this.#options.elsewhere({...call, callee: name})
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
const translated = (answer: Elsewhere, segment: string): Admission =>
  answer.ok
    ? {...answer, pathPrefix: `/services/${encodeURIComponent(segment)}`, lines: linesOf(answer)}
    : {ok: false, isUnknown: answer.error.startsWith("couldn't find service"), error: answer.error}

/** What introduces us to the other run's sidecar. */
const linesOf = ({token, callerLine = ''}: {readonly token: string; readonly callerLine?: string}): string =>
  (token === '' ? '' : `Dapr-Api-Token: ${token}\r\n`) + callerLine

/** `<name>_<version>` → `<name>`: a version has points, a service's name has none. */
function nameIn(segment: string): string {
  const at = segment.lastIndexOf('_')
  return at > 0 && /^\d+\.\d+\.\d+/.test(segment.slice(at + 1)) ? segment.slice(0, at) : segment
}

/** Lets a call into an app by the way that every call takes, or tells why not. */
function admitTo(runtime: Reachable, call: Call): Admission | Held {
  const answer = admitBy(() => runtime, nowhere)({...call, callee: runtime.id})
  if (!('admitted' in answer)) return admission(answer)
  return {admitted: answer.admitted.then(admission), cancel: () => answer.cancel()}
}

const nowhere: Admit = ({callee}) => ({ok: false, status: 500, error: `couldn't find service: ${callee}`})

const admission = (answer: Elsewhere): Admission =>
  answer.ok ? {...answer, pathPrefix: '', lines: ''} : {ok: false, isUnknown: false, error: answer.error}
