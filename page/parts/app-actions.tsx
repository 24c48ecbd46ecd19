import type * as Api from '../../src/model/api.generated.ts'
import {askToDebug} from '../home/debug-dialog.tsx'
import {Icon, type IconName} from '../home/icons.tsx'
import {mayChange} from '../state/api.ts'
import {wordOf} from '../state/app-status.ts'
import {go, hrefOf} from '../state/route.ts'
import {appList, targetOf} from '../state/run.ts'
import {confirm} from './confirm.tsx'
import {act} from './strips.tsx'

/** Returns whether an app has no process. */
const isOver = (app: Api.App): boolean => ['down', 'finished', 'stopped'].includes(wordOf(app))

/** An action that an app's state allows now. */
interface Action {
  /** An action without an icon is a button on the page of the app, and a key. */
  readonly name: IconName | 'debug'
  readonly text: string
  /** The key that runs the action while the app's row is active in the table. */
  readonly key: string
  readonly run: () => void
}

const hrefOfLogs = (app: Api.App): string => hrefOf('logs', [], {app: targetOf(app).name})

const logsOf = (app: Api.App): Action => ({name: 'logs', text: 'Logs', key: 'l', run: () => go(hrefOfLogs(app))})

function changesOf(app: Api.App): readonly Action[] {
  if (!mayChange) return []
  const {name: target} = targetOf(app)
  if (isOver(app) || ['in debugger', 'asleep'].includes(wordOf(app)))
    return [{name: 'start', text: 'Start', key: 's', run: () => void act(target, 'start')}]
  const isLast = appList.value.every(each => targetOf(each).name === target || isOver(each))
  const end = {text: `${target} is the last app: the run ends with it.`, yes: 'End the run'}
  const stop = (): void => void act(target, 'stop')
  return [
    {name: 'restart', text: 'Restart', key: 'r', run: () => void act(target, 'restart')},
    {
      name: 'stop',
      text: `Stop${isLast ? ' …' : ''}`,
      key: 's',
      run: isLast ? () => confirm({...end, run: stop}) : stop
    },
    {name: 'debug', text: 'Debug …', key: 'd', run: () => askToDebug(target)}
  ]
}

/** Returns the title of an action's button: its text and what it acts on. */
const titleOf = (app: Api.App, text: string): string => `${text.replace(' …', '')} ${targetOf(app).text}`

/** Shows the actions of an app as buttons with text. */
export const AppActions = ({app}: {readonly app: Api.App}) => (
  <>
    {changesOf(app).map(({name, text, run}) => (
      <button key={name} type="button" title={titleOf(app, text)} onClick={run}>
        {text}
      </button>
    ))}
    <a class="button" href={hrefOfLogs(app)}>
      Logs
    </a>
  </>
)

/** Shows the actions of an app as icons in its table row, where keys run the same actions. */
export const RowActions = ({app}: {readonly app: Api.App}) => (
  <span class="actions">
    {[...changesOf(app), logsOf(app)].map(
      ({name, text, key, run}) =>
        name !== 'debug' && (
          <button
            key={name}
            type="button"
            tabIndex={-1}
            aria-label={titleOf(app, text)}
            title={`${titleOf(app, text)} (${key})`}
            onClick={run}
          >
            <Icon name={name} />
          </button>
        )
    )}
  </span>
)

/** Runs the action that a key has in an app's row; returns whether there is one. */
export function actByKey(app: Api.App, key: string): boolean {
  const action = [...changesOf(app), logsOf(app)].find(each => each.key === key)
  action?.run()
  return action !== undefined
}
