import t from 'tap'
import {whyText} from '../../../../../src/clients/cli/commands/why.ts'
import type * as Api from '../../../../../src/model/api.generated.ts'

t.test('of an app that is not ready for long the port at which it listens is said, as before', async t => {
  const starting = '"shop" is starting'
  const slow = {kind: 'slow', app: 'shop', name: 'shop', version: '', text: `${starting}, 1 min after its start`}
  const trouble = {...slow, failed: [], failedCalls: 0} as unknown as Api.Trouble
  for (const [reason, text] of [
    [`${starting}: it listens on port 3999`, `${starting}: it listens on port 3999\n${slow.text}\n`],
    [starting, `${slow.text}\n`]
  ] as const) {
    const instance = {name: 'shop', version: '0.0.0', isReady: false, availability: 'waiting', reason} as const
    const view: Api.Why = {app: 'shop', instances: [instance], stalled: [], death: null, deaths: 0}
    t.equal(whyText(view, [trouble]), text)
  }
})
