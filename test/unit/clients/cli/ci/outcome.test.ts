import type * as Api from '../../../../../src/model/api.generated.ts'
import t from 'tap'
import {outcomeText} from '../../../../../src/clients/cli/ci/outcome.ts'
import {app, failed, outcome} from './outcomes.ts'

const death: Api.Death = {
  number: 1,
  app: 'stock',
  name: 'stock',
  version: '0.0.0',
  exit: 'exited with code 3',
  text: '"stock" exited with code 3 after 40 ms',
  reason: '',
  place: '',
  at: '',
  livedMs: 40,
  files: [],
  inside: [],
  work: [],
  thrown: [],
  earlier: 0,
  finished: [],
  lines: ['no pears'],
  hint: ''
}

t.test('an app that has crashed is summed up as that, whatever its next process does at this moment', async t => {
  const crashed = {isReady: false, reason: '"stock" is starting', deaths: [death, death], lines: ['no pears']}
  const text = outcomeText(outcome({apps: [app({...crashed, state: 'starting'})]}))
  t.match(text, '\n"stock": crashed twice, now starting\n  "stock" exited with code 3 after 40 ms\n')
  t.notMatch(text, 'is starting')
  const one = outcomeText(outcome({apps: [app({...crashed, deaths: [death], state: 'not ready'})]}))
  t.match(one, '\n"stock": crashed once, now not ready\n')
})

t.test('one that has ended tells how, and its reason', async t => {
  const text = outcomeText(outcome({apps: [{...failed(['no pears']), deaths: [death]}]}))
  t.match(text, '\n"stock": exited 3, crashed once\n  no database\nIts last lines:\n  no pears\n')
})
