import type * as Api from '../../src/model/api.generated.ts'
import {mayChange} from '../state/api.ts'
import {wordOf} from '../state/app-status.ts'
import {appList} from '../state/run.ts'
import {confirm} from './confirm.tsx'
import {act} from './strips.tsx'

const isDown = (app: Api.App): boolean => ['crashed', 'exited', 'stopped'].includes(wordOf(app))

/** Restart, stop, start: what is possible now. */
export function AppActions({app}: {readonly app: Api.App}) {
  if (!mayChange) return null
  const {id} = app
  if (isDown(app) || wordOf(app) === 'debugging')
    return (
      <button type="button" onClick={() => void act(id, 'start')}>
        Start
      </button>
    )
  const isLast = appList.value.every(each => each.id === id || isDown(each))
  const stop = (): void => {
    if (isLast)
      confirm({
        text: `${id} is the last app: the run ends with it.`,
        yes: 'End the run',
        run: () => void act(id, 'stop')
      })
    else void act(id, 'stop')
  }
  return (
    <>
      <button type="button" onClick={() => void act(id, 'restart')}>
        Restart
      </button>
      <button type="button" onClick={stop}>
        Stop{isLast ? ' …' : ''}
      </button>
    </>
  )
}

/** Restarts several apps, one after the other. */
export function RestartAll({apps}: {readonly apps: readonly Api.App[]}) {
  const ids = [...new Set(apps.map(({id}) => id))]
  if (!mayChange || ids.length === 0) return null
  const restart = async (): Promise<void> => {
    for (const id of ids) await act(id, 'restart')
  }
  const what = ids.length === 1 ? (ids[0] ?? '') : `these ${ids.length} apps`
  return (
    <button
      type="button"
      class="far"
      onClick={() =>
        confirm({text: `Restart ${what}? Calls wait meanwhile.`, yes: 'Restart', run: () => void restart()})
      }
    >
      Restart …
    </button>
  )
}
