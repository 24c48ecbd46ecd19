import t from 'tap'
import {bodyType} from '../../../../../src/clients/cli/commands/invoke.ts'

t.test('an envelope of CloudEvents is told by its five keys, whatever they hold', async t => {
  const envelope = {id: '', source: null, specversion: '1.0', type: 'x', data: {}}
  t.equal(bodyType(Buffer.from(JSON.stringify({...envelope, more: 1}))), 'application/cloudevents+json')
  for (const key of Object.keys(envelope)) {
    const {[key as keyof typeof envelope]: _, ...rest} = envelope
    t.equal(bodyType(Buffer.from(JSON.stringify(rest))), 'application/json', `without ${key}`)
  }
  for (const text of ['', '{', '[]', '1', 'null', '"id"'])
    t.equal(bodyType(Buffer.from(text)), 'application/json', text)
})
