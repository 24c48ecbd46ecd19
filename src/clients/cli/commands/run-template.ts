import type {RunEvent, AppFacts} from '../../../model/events.ts'
import {instanceName, versionedName, type Plan} from '../../../model/plan.ts'
import {isPlainTemplate} from '../../../model/template-name.ts'
import type {CommandContext} from '../command-handler.ts'
import {warnOfIgnored} from '../run-flags.ts'
import {tellLateStart} from '../late-start.ts'
import {LineView, logStyleOf, prefixesFor} from '../log-style.ts'
import {wantsColours} from '../paint.ts'
import {reloadText, sleepText} from '../reload-words.ts'
import {signedLine} from '../print.ts'
import {shownStatus} from '../say.ts'
import type {Form} from '../run-form.ts'
import type {Live} from '../live/live.ts'
import {isOnTerminal, type Terminal} from '../terminal.ts'
import {selectedApps} from '../selected-apps.ts'

/**
 * `run -f PATH`: runs the apps of a template and prints Dapr's three lines for each; on a terminal `Live` shows the start instead. `up`
 * (`isUp`) of a plain template prints one line for each app once it is ready.
 */
export async function templateRun(call: CommandContext, terminal: Terminal, isUp: boolean): Promise<Form> {
  const style = logStyleOf(call.flags.text('log-style'))
  const hasTimes = call.flags.isSet('timestamps')
  const {plan, except, reread, readAt, hints} = await selectedApps(call)
  warnOfIgnored(call, terminal)
  const isPainted = wantsColours(terminal.isTerminal, process.env)
  const hasLive = isOnTerminal(call)
  const startLine = isUp && isPlainTemplate(plan.file) ? plainStarts(plan) : undefined
  const hidesStatus = hasLive || startLine !== undefined // status lines in Dapr's words would repeat what Live or the start lines show
  const hasView = hasTimes || terminal.isTerminal || hidesStatus
  const view = hasView ? new LineView({hasTimes, isPainted, hidesStatus}) : undefined
  let live: Live | undefined
  let isEnding = false
  let callOff: (() => void) | undefined
  return {
    plan,
    isJson: call.asJson,
    hints,
    reread,
    readAt,
    excepted: except,
    workMode: call.flags.isSet('forget') ? 'forgotten' : undefined,
    form: {kind: 'template', prefixOf: prefixesFor(plan, {style, isPainted}), view},
    emit: event => {
      const isShown = hasLive && live?.hasStarted !== true
      if ((hasLive || startLine !== undefined) && event.type === 'stopping')
        void terminal.out.print(`\n${stoppingText(plan.apps.length)}`)
      else print(event, terminal, call.asJson, isShown || startLine !== undefined)
      const line = isShown || event.type !== 'app-moved' ? '' : (startLine?.(event.app()) ?? '')
      if (line !== '') void terminal.out.print(signedLine('success', line, call.asJson))
      isEnding ||= event.type === 'stopping'
      live?.hear(event)
    },
    started: async run => {
      const at = run.control?.list().dashboardUrl
      if (at !== undefined && (hasLive || startLine !== undefined))
        void terminal.out.print(signedLine('info', `dashboard at ${at} (pillion dashboard opens it)`, call.asJson))
      if (view === undefined || !hasLive) {
        const tell = (text: string): void =>
          void terminal.err.print(shownStatus(process.stderr, 'pending', text, call.asJson))
        callOff = tellLateStart(run, tell)
        return
      }
      const {Live} = await import('../live/live.ts')
      if (isEnding) return
      live = new Live(terminal, run, view)
      await live.begin()
    },
    takes: signal => live?.takes(signal) === true,
    ended: () => {
      callOff?.()
      live?.end()
    }
  }
}

/** Returns a function for the start line of an app: `api ready at http://localhost:5100 (0.4 s)`; '' until the app is ready, and after the first time. */
function plainStarts({apps}: Plan): (app: AppFacts) => string {
  const announced = new Set<string>()
  return ({id, version, instance, isReady, startedAt, url, nameUrl, appPort}) => {
    const name = versionedName({name: instanceName(id, instance), version})
    if (!isReady || startedAt === null || announced.has(name)) return ''
    announced.add(name)
    const isSpawned = apps.some(app => app.id === id && app.ready.kind === 'spawned')
    const called = url || (appPort > 0 ? `http://localhost:${appPort}` : '')
    const at = nameUrl === undefined ? called : `${nameUrl} and ${called}`
    const took = `(${((Date.now() - Date.parse(startedAt)) / 1000).toFixed(1)} s)`
    return [name, isSpawned ? 'started' : 'ready', ...(at === '' ? [] : ['at', at]), took].join(' ')
  }
}

const stoppingText = (apps: number): string => `stopping ${apps} ${apps === 1 ? 'app' : 'apps'} …\n`

/** Prints an event in the words of `executeRun` in Dapr's `cmd/run.go`. With `isShown` omits Dapr's lines about the start of an app, which Live or one line shows. */
function print(event: RunEvent, {out, err}: Terminal, asJson: boolean, isShown: boolean): void {
  switch (event.type) {
    case 'app-started': {
      const {id, httpPort, grpcPort, logFolder, templateShownAs, command} = event.app
      const without =
        command.length > 0
          ? ''
          : signedLine('warning', `No application command found for app "${id}" present in ${templateShownAs}`, asJson)
      const lines = [
        signedLine('info', `Validating config and starting app "${id}"`, asJson),
        without,
        signedLine('info', `Started Dapr with app id "${id}". HTTP Port: ${httpPort}. gRPC Port: ${grpcPort}`, asJson),
        signedLine('info', `Writing log files to directory : ${logFolder}`, asJson)
      ]
      return void out.print(isShown ? without : lines.join(''))
    }
    case 'stopping': {
      const message = 'Received signal to stop Dapr and app processes. Shutting down Dapr and app processes.'
      return void out.print(`\n${shownStatus(process.stdout, 'info', message, asJson)}`)
    }
    case 'reloaded':
      return void out.print(shownStatus(process.stdout, 'info', reloadText(event), asJson))
    case 'manager-opened':
      return void out.print(signedLine('info', `Daeploy services at ${event.url}`, asJson))
    case 'app-asleep':
    case 'app-woken':
      return void out.print(signedLine('info', sleepText(event), asJson))
    case 'template-edited':
    case 'policy-decided':
    case 'fault-changed':
    case 'replayed':
    case 'info':
      return void out.print(signedLine('info', event.text, asJson))
    case 'notified':
      return void out.print(`${event.text}\n`)
    case 'warned':
      return void err.print(shownStatus(process.stderr, 'warning', event.text, asJson, event.code))
    case 'sidecar-opened':
    case 'app-moved':
    case 'app-ended':
    // the app's log reports these
  }
}
