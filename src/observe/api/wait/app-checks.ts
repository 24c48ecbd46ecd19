import {appsCalled, type Since, type WaitContext, type WaitedApp} from './wait-context.ts'
import {met, type WaitCheck, type Standing} from './standing.ts'

/** An app that was dead when a wait for its reload began may be about to be reloaded: the system reports a save a little later. */
const NOTICED_MS = 1000

const listed = (apps: readonly WaitedApp[]): string => apps.map(({home}) => home).join(', ')

const left = (app: string): Standing => ({state: 'impossible', reason: `${app} has left the run`})

/** The standing of a condition that is not met. */
function missing(apps: readonly WaitedApp[], isImpossible: boolean, reason: string): Standing {
  return {state: isImpossible ? 'impossible' : 'waiting', reason, apps}
}

/** `ready`: all apps, or the instances of one, take calls, or have finished, with the code that was saved last. */
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

/** `exit`: a process of each instance has ended since then, or it has none. */
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

/** `reloaded`: each instance has a new process since then, with the latest save. */
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
