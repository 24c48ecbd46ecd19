import type {CallObserver, Call} from '../../model/call.ts'
import {instanceName, type AppPlan} from '../../model/plan.ts'
import type {Reporter} from '../../model/reporter.ts'
import type {Copy} from '../net/copy.ts'
import {Mirror, type Shadow} from '../net/mirror.ts'
import type {CopyOf, ShadowPermit} from '../net/shadow-delivery.ts'
import {denied, isHeld, type Admission, type Admit, type Held} from './admission.ts'
import type {CallerIdentity} from './caller-header.ts'
import {admitBy, Instances} from './instances.ts'
import type {Callee} from './local-apps.ts'
import {Versions, type Named, type Versioned} from './versions.ts'

/** An app as `Routes` needs it: a callee with a version. */
export interface Reachable extends Versioned, Callee {
  readonly id: string
}

/** The callee behind a name in a path: the main version of an id, or the named version. */
export interface NamedCallee {
  readonly name: string
  /** Version that serves the calls; '': another run has the app. */
  readonly version: string
  /** Admits a call. `caller`: identity of a calling app of another run. */
  admit(call: Call, isRefused: boolean, caller: CallerIdentity | undefined): Admission | Held
  /** Mirrors a call to the shadow versions; undefined: there are none. */
  readonly copy: ((of: CopyOf) => Copy) | undefined
}

export interface RoutesOptions {
  /** The apps of the template. */
  readonly planned: readonly AppPlan[]
  /** Admits calls to apps that are not part of this run. */
  readonly elsewhere: Admit
  readonly reporter: Reporter
  /** Notified of each copy that is sent to a shadow. */
  readonly observer?: CallObserver | undefined
}

/** Finds the callee of every call in a run: by id or version, among instances, in other runs; and mirrors calls to shadow versions. */
export class Routes<M extends Reachable> {
  readonly versions = new Versions<M>([])
  readonly #options: RoutesOptions
  readonly #mirror: Mirror
  readonly #shadows = new WeakMap<M | Instances, Shadow>()

  constructor(options: RoutesOptions) {
    this.#options = options
    this.#mirror = new Mirror(text => options.reporter.warn('copies-lost', text), options.observer)
  }

  /** Statistics of the copies for shadows. */
  get copies(): Mirror['copies'] {
    return this.#mirror.copies
  }

  /** Returns the name of an app in log prefixes and files. Adds the version if its id has several, and the number of every instance but the first. */
  shownAs({id, version, instance}: AppPlan): string {
    const isOneOfMany =
      this.#options.planned.some(app => app.id === id && app.version !== version) ||
      this.versions.known.some(runtime => runtime.id === id && runtime.plan.version !== version)
    return instanceName(isOneOfMany ? `${id}_${version}` : id, instance)
  }

  /** Returns the function that admits calls received by the sidecar of an app. */
  admitFor(own: M): Admit {
    const {versions} = this
    const {elsewhere} = this.#options
    return admitBy({find: id => versions.callee(id), elsewhere, own, identify: versions.identify})
  }

  /** Returns the `appProtocol` of an app; '': the run does not have the app. */
  protocolOf(id: string): string {
    const callee = this.versions.callee(id)
    return (callee instanceof Instances ? callee.first : callee)?.pool.protocol ?? ''
  }

  /** Returns the app for `<name>` or `<name>_<version>`. An unknown app may belong to another run. */
  readonly named = (name: string): NamedCallee => {
    const meant = this.versions.meant(name)
    const id = meant?.id ?? nameIn(name)
    const find = (): M | Instances | undefined => this.versions.find(name)?.callee
    return {
      name: id,
      version: meant?.version ?? '',
      admit: admitBy({find, elsewhere: this.#elsewhere(name), identify: this.versions.identify}),
      copy: meant?.isById === true ? this.copierOf(id) : undefined
    }
  }

  /** Returns the function that mirrors calls for an id to its shadows, if it has any. */
  readonly copierOf = (id: string): ((of: CopyOf) => Copy) | undefined => {
    const versions = this.versions.shadows(id)
    if (versions.length === 0) return undefined
    return of =>
      this.#mirror.copy(
        of,
        versions.map(version => this.#shadowOf(version))
      )
  }

  #shadowOf({runtime, callee}: Named<M>): Shadow {
    const known = this.#shadows.get(callee)
    if (known !== undefined) return known
    const elsewhere: Admit = () => denied(`couldn't find service: ${runtime.id}`)
    const admit = admitBy({find: () => callee, elsewhere}) // without access control: the original call has passed it
    const shadow: Shadow = {
      name: `${runtime.id} ${runtime.plan.version}`,
      callee: `${runtime.id}@${runtime.plan.version}`,
      admit: ({method, path}) => {
        const admission = admit({caller: 'mirror', callee: runtime.id, method, path})
        return isHeld(admission) ? admission.admitted.then(permitOrReason) : permitOrReason(admission)
      }
    }
    this.#shadows.set(callee, shadow)
    return shadow
  }

  /** Returns the function that admits calls to an app of another run, which resolves the name and version itself. */
  #elsewhere(segment: string): Admit {
    return (...asked) => {
      const admission = this.#options.elsewhere(...asked)
      if (!isHeld(admission)) return withPrefix(admission, segment)
      const admitted = admission.admitted.then(later => withPrefix(later, segment))
      return {...admission, admitted, cancel: () => admission.cancel()}
    }
  }
}

const permitOrReason = (admission: Admission): ShadowPermit | string => (admission.ok ? admission : admission.error)

/** Adds the path of the other run's manager API to an admission, so that the other run chooses its own main version and shadows. */
const withPrefix = (admission: Admission, segment: string): Admission =>
  admission.ok ? {...admission, pathPrefix: `/services/${encodeURIComponent(segment)}`} : admission

/** `<name>_<version>` → `<name>`: a version contains dots, a service's name does not. */
function nameIn(segment: string): string {
  const at = segment.lastIndexOf('_')
  return at > 0 && /^\d+\.\d+\.\d+/.test(segment.slice(at + 1)) ? segment.slice(0, at) : segment
}
