import {type AppLogs, type AppProgress, type ClusterEvent, objectName, type AppObjects} from '#kubernetes'
import {openAppLogs} from '../../../../observe/logging/app-log.ts'
import {Console} from '../../../../observe/logging/console.ts'
import {RunLog} from '../../../../observe/logging/run-log.ts'
import type {Plan} from '../../../../model/plan.ts'
import {wantsColours} from '../../colours.ts'
import type {CommandContext} from '../../command-handler.ts'
import {LineView, logStyleOf, prefixesFor} from '../../log-style.ts'
import {signedLine, type Sign} from '../../print.ts'
import {shownStatus} from '../../say.ts'
import type {Terminal} from '../../terminal.ts'

/** Prints what happens in a run on Kubernetes, in the words of Dapr's CLI (`pkg/kubernetes/run.go`) where it has some. */
export class RunView {
  readonly #terminal: Terminal
  readonly #console: Console
  readonly #asJson: boolean
  readonly #view: LineView
  readonly #prefixOf: (id: string) => string | undefined
  readonly #startedAt = new Date()
  /** No more lines than a reader of files needs: the files have them all. */
  readonly #runLog = new RunLog({lines: 0, bytes: 0})
  readonly #progress = new Map<string, {progress: AppProgress; detail: string}>()
  readonly #files = new Map<string, string>()
  #isStopping = false

  constructor(terminal: Terminal, plan: Plan, {flags, asJson}: CommandContext) {
    this.#terminal = terminal
    this.#asJson = asJson
    this.#console = new Console(terminal.out)
    const isPainted = wantsColours(terminal.isTerminal, process.env)
    this.#view = new LineView({hasTimes: flags.isSet('timestamps'), isPainted})
    const prefixOf = prefixesFor(plan, {style: logStyleOf(flags.text('log-style')), isPainted})
    const ids = plan.apps.map(({id}) => id)
    this.#prefixOf = id => prefixOf(id, ids.indexOf(id))
    for (const id of ids) this.#progress.set(id, {progress: 'waiting', detail: ''})
  }

  async openLogs({id, plan}: AppObjects): Promise<AppLogs> {
    const consolePrefix = this.#prefixOf(id)
    return openAppLogs({
      id,
      plan: plan.logs,
      level: 'debug',
      source: {appId: id, instance: '', version: '', isJson: false},
      hasCommand: true,
      startedAt: this.#startedAt,
      console: this.#console,
      ...(consolePrefix !== undefined && {consolePrefix}),
      view: this.#view,
      isTerminal: this.#terminal.isTerminal,
      runLog: this.#runLog.writer(id),
      warn: text => this.warn(text)
    })
  }

  warn(text: string): void {
    void this.#terminal.err.print(shownStatus(process.stderr, 'warning', text, this.#asJson))
  }

  hear(event: ClusterEvent): void {
    switch (event.type) {
      case 'resource-applied':
        return this.#say('info', `Applying ${objectName(event.object)} of ${event.shownAs}`)
      case 'app-deploying':
        return this.#deploying(event.app.id, event.files)
      case 'pod-found':
        this.#say('info', `Streaming logs for containers in pod "${event.pod}"`)
        if (event.isFirst) this.#say('info', `Writing log files to directory : ${event.app.plan.logs.folder}`)
        return
      case 'app-moved':
        this.#progress.set(event.id, event)
        return this.#showProgress()
      case 'all-ready': {
        const apps = event.count === 1 ? '1 app' : `${event.count} apps`
        const same = event.isUnchanged ? ', nothing in the cluster had to change' : ''
        return this.#say('success', `${apps} ready after ${(event.ms / 1000).toFixed(1)} s${same}`)
      }
      case 'container-exited':
        return this.#say(event.isHealthy ? 'info' : 'failure', event.text)
      case 'pruned':
        return this.#say('info', `Deleting ${objectName(event.object)}: it is no longer in the template`)
      case 'stopping':
        this.#isStopping = true
        this.#terminal.out.showStatus('')
        void this.#terminal.out.print('\n')
        return this.#say('info', 'Received signal to stop. Deleting K8s Dapr app deployments.')
      case 'app-deleting':
        return this.#deleting(event.app)
      case 'warned':
        return this.warn(event.text)
    }
  }

  /** Must be called at the end of the run. */
  end(): void {
    this.#terminal.out.showStatus('')
  }

  #deploying(id: string, files: readonly {readonly kind: string; readonly path: string}[]): void {
    this.#say('info', `Validating config and starting app "${id}"`)
    this.#say('info', `Deploying app "${id}" to Kubernetes`)
    for (const {kind, path} of files)
      if (path !== '') {
        this.#files.set(`${id} ${kind}`, path)
        this.#say('info', `Deploying ${kind.toLowerCase()} YAML "${path}" to Kubernetes`)
      }
  }

  #deleting({id, service, workload}: AppObjects): void {
    for (const object of [workload, service]) {
      if (object === undefined) continue
      const path = this.#files.get(`${id} ${object.kind}`)
      this.#say('info', `Deleting ${path === undefined ? objectName(object) : JSON.stringify(path)} from Kubernetes`)
    }
  }

  #say(status: Sign, text: string): void {
    void this.#terminal.out.print(signedLine(status, text, this.#asJson))
  }

  /** Shows a line below the others, while apps are not ready; only on a terminal. */
  #showProgress(): void {
    const all = [...this.#progress]
    const waiting = all.filter(([, {progress}]) => !['ready', 'completed', 'failed'].includes(progress))
    const {width = 80} = this.#terminal
    const details = waiting.map(([id, {progress, detail}]) => `${id}: ${detail === '' ? progress : detail}`)
    const text = `${all.length - waiting.length} of ${all.length} ready · ${details.join(' · ')}`
    this.#terminal.out.showStatus(waiting.length === 0 || this.#isStopping ? '' : text.slice(0, width - 1))
  }
}
