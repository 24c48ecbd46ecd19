import t from 'tap'
import type {LiveObject} from '#kubernetes'
import {diffText} from '../../../../../src/clients/cli/commands/kubernetes/changes-text.ts'

const APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'

t.test('a diff shows no value of a Secret, not even where kubectl apply has noted what it was given', t => {
  const data = {PASSWORD: Buffer.from('hunter2').toString('base64')}
  const annotations = {[APPLIED]: JSON.stringify({kind: 'Secret', data}), team: 'shop'}
  const secret = {apiVersion: 'v1', kind: 'Secret', metadata: {name: 'shop-env', labels: {}, annotations}, data}
  const text = diffText({changes: [], surplus: [secret as unknown as LiveObject]})
  t.match(text, /-kind: Secret\n[^]*-\s+team: shop\n[^]*-\s+PASSWORD: "?\*\*\*/)
  t.notMatch(text, data.PASSWORD)
  t.end()
})
