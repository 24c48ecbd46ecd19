import t from 'tap'
import type {App} from '../../../src/model/api.generated.ts'
import {stateText, STATES, stateWord} from '../../../src/model/app-words.ts'
import {appOf} from '../../rig/listed.ts'
import {tableOf} from '../../rig/table-of.ts'

const NOW = Date.parse('2026-01-31T12:00:00Z')
const failed = {exitCode: 1, exit: 'exited with code 1', availability: 'never'} as const

/** An app for each row of the table, by its text. */
const APPS: Readonly<Record<string, Partial<App>>> = {
  'keeps exiting: 27 times in 10 min, each within 2 s': {
    state: 'backoff',
    loop: {exits: 27, overMs: 598_000, shortestMs: 1900, longestMs: 2030}
  },
  'exited 1': {state: 'exited', ...failed},
  'exited 1, waits for a save': {state: 'backoff', ...failed},
  'ended by SIGKILL': {state: 'exited', availability: 'never', exitCode: 137, exit: 'was ended by SIGKILL'},
  'restarting in 4 s': {state: 'backoff', exitCode: 1, restartsAt: new Date(NOW + 3200).toISOString()},
  'not ready': {state: 'running'},
  stopping: {state: 'stopping'},
  starting: {state: 'starting'},
  'waits for db': {waitsFor: ['db']},
  'not started': {},
  'in debugger': {state: 'debugging', availability: 'debugged'},
  ready: {state: 'running', isReady: true, availability: 'ready'},
  asleep: {state: 'asleep', availability: 'asleep'},
  'exited 0': {state: 'exited', exitCode: 0, availability: 'finished'},
  'exited 0, waits for a save': {state: 'backoff', exitCode: 0, availability: 'finished'},
  stopped: {state: 'stopped', availability: 'stopped'}
}

t.test('each state of an app has the word, the sign and the text of the manual', async t => {
  const rows = tableOf('states.md', 'How an app is')
  t.same(new Set(rows.map(([, , text]) => text)), new Set(Object.keys(APPS)))
  for (const [word, sign, text = ''] of rows) {
    const app = appOf(APPS[text] ?? {})
    const known = stateWord(app)
    t.same([known, STATES[known][0], stateText(app, NOW)], [word, sign, text])
  }
  t.same([...new Set(rows.map(([word]) => word))], Object.keys(STATES), 'what needs a person stands first')
})
