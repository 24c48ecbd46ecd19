import type {Admit} from '../proxy/gateway/admission.ts'
import type {ResourcesPlan} from '../model/plan.ts'
import type {AppRuntime} from '../supervisor/app-runtime.ts'

/**
 * Whether a run uses Dapr: an app names resources, or one has called a sidecar. Before that no app of a plain stack gets Dapr's requests,
 * which could break a server with clients of its own.
 */
export class DaprUse {
  readonly #runtimes: () => Iterable<AppRuntime>
  #isOn = false

  constructor(runtimes: () => Iterable<AppRuntime>) {
    this.#runtimes = runtimes
  }

  /** Lets the sidecar of each app ask it for its topics and actors from now on. */
  readonly begin = (): void => {
    if (this.#isOn) return
    this.#isOn = true
    for (const runtime of this.#runtimes()) if (runtime.opening.isUnasked) runtime.ask()
  }

  /** Called when the sidecar of an app is open. */
  join(runtime: AppRuntime): void {
    if (namesResources(runtime.plan.resources)) this.begin()
    if (this.#isOn && runtime.opening.isUnasked) runtime.ask()
  }

  /** Returns an `admit` for an app's sidecar that notes calls: a call to another app shows that the app uses Dapr. */
  seen(id: string, admit: Admit): Admit {
    return (call, ...rest) => {
      if (call.callee !== id) this.begin()
      return admit(call, ...rest)
    }
  }
}

/** Whether an app has resources outside Dapr's own folder. */
const namesResources = ({folders, configFile, defaultFolder}: ResourcesPlan): boolean =>
  [...folders, configFile].some(path => path !== '' && !path.startsWith(defaultFolder))
