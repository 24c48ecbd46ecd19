import type * as Api from '../../src/model/api.generated.ts'
import {app, call, type MadeUp} from './made-up.ts'

/** The end of an app while it had a call. */
export const death = (more: Partial<Api.Death> = {}): Api.Death => ({
  number: 3,
  app: 'payments',
  name: 'payments',
  version: '0.0.0',
  exit: 'exited with code 1',
  text: '"payments" exited with code 1 after 41.0 s while handling POST /charge from shop (18 ms)',
  reason: 'TypeError: Cannot read the card',
  place: 'charge.js:41',
  at: '2026-01-31T14:46:28.113Z',
  livedMs: 41_000,
  files: ['charge.js'],
  inside: [{...call(48190, {method: 'POST', path: '/charge', isOpen: true}), forMs: 18, count: 1, times: 2}],
  work: [],
  thrown: [],
  earlier: 3,
  finished: [call(48188, {method: 'POST', path: '/charge', status: 201})],
  lines: ['\x1b[31mTypeError\x1b[0m: card', '    at charge.js:41', '<script>1</script>'],
  hint: '',
  ...more
})

/** What is said of it. */
export const trouble = (more: Partial<Api.Trouble> = {}): Api.Trouble => ({
  key: 'exit payments 3',
  kind: 'exit',
  app: 'payments',
  version: '0.0.0',
  name: 'payments',
  isBad: true,
  isOver: false,
  at: death().at,
  text: '"payments" exited with code 1 after 41 s while handling POST /charge from checkout (18 ms)',
  error: 'TypeError: Cannot read the card',
  place: 'charge.js:41',
  death: 3,
  request: {number: 48190, from: 'checkout', method: 'POST', path: '/charge', ms: 18, status: ''},
  failed: [{from: 'checkout', to: 'payments', calls: 2}],
  failedCalls: 2,
  action: {kind: 'request', text: 'Show the request', command: 'pillion trace 48190'},
  ...more
})

/** An app that has ended so. */
export const CRASHED = app('payments', {
  state: 'exited',
  isReady: false,
  pid: 0,
  exitCode: 1,
  exit: 'exited with code 1',
  startedAt: null
})

/** A shop whose payments have ended. */
export function crash(run: MadeUp): void {
  run.apps = [app('checkout'), app('order-processor'), CRASHED]
  run.troubles = [trouble()]
  run.answers['GET /apps/payments/why'] = {
    app: 'payments',
    instances: [{name: 'payments', isReady: false, reason: '"payments" exited with code 1'}],
    stalled: [],
    death: death(),
    deaths: 1
  }
  run.answers['GET /apps/payments/deaths'] = {
    deaths: [
      {
        number: 3,
        name: 'payments',
        exit: 'exited with code 1',
        at: death().at,
        livedMs: 41_000,
        files: ['charge.js'],
        inside: 1
      }
    ]
  }
  run.answers['GET /apps/payments/environment'] = {
    folder: '/work/shop/payments',
    command: ['node', 'app.js'],
    variables: [['CARD_TOKEN', '<masked, 8 characters>']]
  }
  run.answers['POST /apps/payments/start'] = {apps: [app('payments')]}
  run.answers['GET /pins'] = {pins: [], rounds: []}
}
