import {appsCalled, type Since, type WaitContext, type WaitedApp} from './wait-context.ts'
import {met, type WaitCheck, type Standing, type Condition, impossible, waiting} from './condition.ts'
import type {CallRecorder} from '../../telemetry/recorder/call-recorder.ts'
import type {Edge} from '../../telemetry/recorder/edges.ts'
import {FLAG} from '../../telemetry/recorder/call-lines.ts'
import {faultOf} from '../../../work/workflow/failure.ts'
import {
  COMPLETED,
  FAILED,
  isTerminal,
  PENDING,
  spokenStatus,
  STALLED,
  SUSPENDED,
  TERMINATED
} from '../../../work/workflow/status.ts'
import {Masking} from '../../telemetry/recorder/masking.ts'

/** Time in ms for which a wait for a reload does not give up an app that is dead from the start: the system reports a save a little later. */
const NOTICED_MS = 1000

const listed = (apps: readonly WaitedApp[]): string => apps.map(({home}) => home).join(', ')

const left = (app: string): Standing => ({state: 'impossible', reason: `${app} has left the run`})

function missing(apps: readonly WaitedApp[], isImpossible: boolean, reason: string): Standing {
  return {state: isImpossible ? 'impossible' : 'waiting', reason, apps}
}

/** `ready`: all apps, or the instances of one, accept calls or have finished, with the latest saved code. */
export function readyCheck({apps, stopping}: WaitContext, app: string): WaitCheck {
  return {
    look: () => {
      const meant = appsCalled(apps(), app).filter(({isLeftOut}) => app !== '' || !isLeftOut)
      if (app !== '' && meant.length === 0) return left(app)
      const open = meant.filter(({isReady, isFinished, isChanging}) => isChanging || (!isReady && !isFinished))
      if (open.length === 0) return met(meant.length === 0 ? 'the run starts no apps' : listed(meant))
      const over = open.filter(({isOver}) => isOver)
      if (stopping.aborted) return missing(open, true, 'the run is stopping')
      const reason = over.length > 0 ? `${listed(over)} will not become ready` : `not ready: ${listed(open)}`
      return missing(open, over.length > 0, reason)
    }
  }
}

/** `exit`: a process of each instance has ended since `since`, or the instance has no process. */
export function exitCheck({apps, historyOf}: WaitContext, app: string, since: Since): WaitCheck {
  return {
    look: () => {
      const meant = appsCalled(apps(), app)
      const open = meant.filter(({home, hasProcess}) => {
        const {exit} = historyOf(home)
        return hasProcess && (exit === undefined || exit.at < since.at)
      })
      if (open.length > 0) return missing(open, false, `${listed(open)} has not exited`)
      const never = meant.filter(({home, isGivenUp}) => isGivenUp && historyOf(home).exit === undefined)
      if (never.length > 0) return missing(never, true, `${listed(never)} was not started`)
      const texts = meant.map(({home}) => `${home} ${historyOf(home).exit?.text ?? 'has no process'}`)
      return met(meant.length === 0 ? `${app} has left the run` : texts.join(', '))
    }
  }
}

/** `reloaded`: each instance has a new process since `since`, with the latest save. */
export function reloadedCheck({apps, historyOf, stopping}: WaitContext, app: string, since: Since): WaitCheck {
  const begun = performance.now()
  let hasLived = false
  return {
    look: now => {
      const meant = appsCalled(apps(), app)
      if (meant.length === 0) return left(app)
      const changing = meant.filter(({isChanging}) => isChanging)
      const over = meant.filter(({isOver, isFinished, isChanging}) => (isOver || isFinished) && !isChanging)
      hasLived ||= over.length < meant.length || changing.length > 0
      const open = meant.filter(({home, isReady}) => {
        const {reload} = historyOf(home)
        return !isReady || reload === undefined || reload.at < since.at
      })
      if (open.length === 0 && changing.length === 0) return met(reloadText(meant, historyOf))
      if (stopping.aborted) return missing(open, true, 'the run is stopping')
      if (over.length > 0 && (hasLived || now - begun >= NOTICED_MS))
        return missing(over, true, `${listed(over)} did not become ready`)
      if (changing.length > 0) return missing(changing, false, `${listed(changing)} is being reloaded`)
      const unwatched = open.some(({isWatched}) => !isWatched) ? '; its files are not watched' : ''
      return missing(open, false, `${listed(open)} was not reloaded${unwatched}`)
    }
  }
}

function reloadText(apps: readonly WaitedApp[], historyOf: WaitContext['historyOf']): string {
  return apps
    .map(({home}) => {
      const {files = [], tookMs = 0} = historyOf(home).reload ?? {}
      const what = files.length === 0 ? '' : ` after ${files.join(', ')} had changed`
      return `${home} was reloaded${what} in ${Math.round(tookMs)} ms`
    })
    .join(', ')
}

type CallsWanted = Extract<Condition, {kind: 'calls'}>

/** `calls`: a number of calls have ended since `since`, optionally from one app to another. */
export function callsCheck({recorder, apps}: WaitContext, {from, to, count}: CallsWanted, since: Since): WaitCheck {
  const isMeant = ({caller, callee}: Edge): boolean => (from === '' || caller === from) && (to === '' || callee === to)
  const before = since.at === -Infinity ? 0 : endedBefore(recorder, isMeant, since.at)
  const isKept = (app: string): boolean => {
    const meant = appsCalled(apps(), app)
    return meant.length === 0 || meant.some(({isRecorded}) => isRecorded)
  }
  return {
    look: () => {
      const ended = total(recorder, isMeant) - before
      if (ended >= count) return met(`${ended} calls have ended`)
      if (!isKept(from) || !isKept(to)) return impossible('these calls are not recorded (record: false)')
      return waiting(`${ended} of ${count} calls have ended`)
    }
  }
}

const total = ({edges}: CallRecorder, isMeant: (edge: Edge) => boolean): number =>
  edges.all.reduce((sum, edge) => (isMeant(edge) ? sum + edge.calls : sum), 0)

/** Number of kept calls that had ended at a time. */
function endedBefore(recorder: CallRecorder, isMeant: (edge: Edge) => boolean, at: number): number {
  let since = 0
  for (const number of recorder.numbers()) {
    const line = recorder.line(number)
    if (line === undefined || !isMeant(line.edgeOf)) continue
    // the edges do not count replays
    if ((line.flags & (FLAG.open | FLAG.replay)) === 0 && line.startedAt + line.totalMs > at) since++
  }
  return total(recorder, isMeant) - since
}

type WorkflowWanted = Extract<Condition, {kind: 'workflow'}>

const IS_MET: Readonly<Record<WorkflowWanted['state'], (status: number) => boolean>> = {
  started: status => status !== PENDING,
  suspended: status => status === SUSPENDED,
  completed: status => status === COMPLETED,
  failed: status => status === FAILED,
  terminated: status => status === TERMINATED,
  ended: isTerminal
}

/** Whether waiting is in vain: the workflow has ended, or is stalled until its code changes. A stalled one may be terminated. */
const isHopeless = (status: number, wanted: WorkflowWanted['state']): boolean =>
  isTerminal(status) || (status === STALLED && wanted !== 'terminated' && wanted !== 'ended')

/** `workflow`: a workflow is in a state. If several apps have one with this id, any counts. */
export function workflowCheck(context: WaitContext, {id, state}: WorkflowWanted): WaitCheck {
  return {
    look: async () => {
      const open = await context.workflows()
      const found = open.appsWith(id).flatMap(app => open.find(app, id) ?? [])
      const right = found.find(({status}) => IS_MET[state](status))
      if (right !== undefined) return met(`${right.name} of ${right.app} is ${spokenStatus(right.status)}`)
      const [other] = found
      if (other === undefined) return waiting(`there is no workflow '${id}' yet`)
      const fault = new Masking().text(faultOf(other))
      const reason = `${other.name} of ${other.app} is ${spokenStatus(other.status)}${fault === '' ? '' : `: ${fault}`}`
      return found.every(({status}) => isHopeless(status, state)) ? impossible(reason) : waiting(reason)
    }
  }
}
