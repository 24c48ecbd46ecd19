import type {RunContext} from './run-context.ts'
import {join} from 'node:path'
import type {DaprdComponents} from '../dapr/components/daprd/daprd-access.ts'
import {API} from '../model/dapr/api/api.ts'
import {runtimeFolders, usableFolder} from '../control/folder.ts'
import {homeOf} from '../control/server.ts'
import {daprdUseOf, INSTALL_DAPRD, isForDaprd} from '../files/resources/component-support.ts'
import {isBlock, splitType} from '../files/resources/component-types.ts'
import type {ComponentResource} from '../files/resources/components.ts'
import type {DaprdNeeds, FindDaprd} from '../dapr/sidecar/sidecar-options.ts'
import type {ProcessWatchdog} from '../supervisor/process/watchdog.ts'

/** The real daprds of a run: one next to each app with a component that Pillion lacks. Other runs do not load the code. */
export class RunDaprd implements FindDaprd {
  readonly #context: Pick<RunContext, 'env' | 'run' | 'reporter' | 'lifetime'>
  readonly #watchdog: ProcessWatchdog
  readonly #reported = new Set<string>()
  #count = 0
  /** Why there is no daprd; '' if there is one, or before one was needed. */
  whyNone = ''

  constructor(context: Pick<RunContext, 'env' | 'run' | 'reporter' | 'lifetime'>, watchdog: ProcessWatchdog) {
    this.#context = context
    this.#watchdog = watchdog
  }

  /** Opens a daprd. Resolves with undefined if no usable one was found; each component that needs one reports why. */
  async open({runtime, resources, metadata, ending}: DaprdNeeds): Promise<DaprdComponents | undefined> {
    const {env, run, reporter, lifetime} = this.#context
    const {findDaprd} = await import('../dapr/sidecar/daprd/find-daprd.ts')
    const finding = findDaprd(runtime.plan.resources.defaultFolder, env['PATH'] ?? '')
    // while its version is read
    const [program, {AppDaprd}] = await Promise.all([finding, import('../dapr/sidecar/daprd/app-daprd.ts')])
    if (typeof program === 'string') {
      this.whyNone = program
      if (daprdUseOf(env) === 'always') this.#tell(`PILLION_DAPRD is always, and ${program}`)
      for (const resource of resources) this.#tellMissing(resource, program)
      return undefined
    }
    const name = `daprd-${++this.#count}`
    const {sidecar} = runtime.logs
    return new AppDaprd({
      program,
      plan: runtime.plan,
      ports: runtime.ports,
      env,
      run,
      life: `${run}-${name}`,
      // a folder that only we can read
      folder: join(homeOf(usableFolder(runtimeFolders(env)), run), name),
      use: daprdUseOf(env),
      metadata,
      ending: AbortSignal.any([ending, lifetime.stopRequested]),
      now: lifetime.now,
      watchdog: this.#watchdog,
      log: entry => sidecar.log(entry),
      warn: text => reporter.warn('daprd-ended', text)
    })
  }

  /** Warns about each component once, except those of Dapr's default folder. */
  #tellMissing(resource: ComponentResource, why: string): void {
    const {name, type, place, isDefault} = resource
    if (isDefault || !isForDaprd(resource, 'needed')) return
    const where = `${place.file}:${place.line}`
    const [category] = splitType(type)
    const purpose = isBlock(category) ? API[category].components.purpose : ''
    this.#tell(
      `${where}: the component ${name} (${type}, for ${purpose}) needs a real daprd, and ${why}: calls to it fail. ${INSTALL_DAPRD}`
    )
  }

  /** Warns with each text once. */
  #tell(text: string): void {
    if (this.#reported.has(text)) return
    this.#reported.add(text)
    this.#context.reporter.warn('daprd-missing', text)
  }
}
