import t from 'tap'
import {daprLogLine, describeEvent} from '../../../../../../src/proxy/gateway/interceptors/resiliency/report.ts'
import type {ResiliencyEvent} from '../../../../../../src/model/resiliency-event.ts'

const endpoint = {target: 'appB', key: 'appB:method'}

t.test('what is logged in the words of Dapr, and what people read', async t => {
  const table: readonly (readonly [ResiliencyEvent, log: string, text: string])[] = [
    [
      {type: 'retrying', policy: 'again', endpoint, cause: 503, retry: 1, maxRetries: 3, delayMs: 1000},
      'warning Error processing operation endpoint[appB, appB:method]. Retrying in 1s…',
      '503, retry 1 of 3 in 1 s'
    ],
    [
      {type: 'retrying', policy: 'again', endpoint, cause: 503, retry: 2, maxRetries: 3, delayMs: 400},
      '',
      '503, retry 2 of 3 in 400 ms'
    ],
    [
      {type: 'retrying', policy: 'again', endpoint, cause: 'timeout', retry: 1, maxRetries: -1, delayMs: 673.25},
      'warning Error processing operation endpoint[appB, appB:method]. Retrying in 673.25ms…',
      'timeout, retry 1 in 673 ms'
    ],
    [
      {
        type: 'retrying',
        policy: 'again',
        endpoint: {target: '', key: 'DaprBuiltInServiceRetries'},
        cause: 'failed',
        retry: 1,
        maxRetries: 3,
        delayMs: 1000
      },
      'warning Error processing operation DaprBuiltInServiceRetries. Retrying in 1s…',
      'no response, retry 1 of 3 in 1 s'
    ],
    [
      {type: 'recovered', endpoint, attempts: 3},
      'info Recovered processing operation endpoint[appB, appB:method] after 3 attempts',
      'succeeded at attempt 3'
    ],
    [
      {type: 'breaker-changed', endpoint, from: 'closed', to: 'open', openForMs: 45_000},
      'info Circuit breaker "appB:method" changed state from closed to open',
      'circuit breaker appB:method: open for 45 s'
    ],
    [
      {type: 'breaker-changed', endpoint, from: 'open', to: 'half-open', openForMs: 0},
      'info Circuit breaker "appB:method" changed state from open to half-open',
      'circuit breaker appB:method: half-open'
    ],
    [{type: 'timed-out', endpoint, attempt: 1, timeoutMs: 2500, isFirst: true}, '', 'no response within 2.5 s'],
    [{type: 'refused', attempt: 1, endpoint, reason: 'too many requests'}, '', 'not called: too many requests'],
    [
      {type: 'not-retried', attempt: 1, endpoint, reason: 'its body is too large'},
      '',
      'not retried: its body is too large'
    ],
    [{type: 'applied', endpoint, policy: 'retry', state: ''}, '', '']
  ]
  for (const [event, log, text] of table) {
    const line = daprLogLine(event)
    t.equal(line === undefined ? '' : `${line.level} ${line.message}`, log)
    t.equal(describeEvent(event), text)
  }
})
