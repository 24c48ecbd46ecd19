import t from 'tap'
import {modelFactsIn, modelFactsText} from '../../../src/model/model-facts.ts'

t.test('what a model was asked and wished for goes into a header and back, whatever its names', async t => {
  const facts = {
    model: 'llama3.2:latest, ü',
    usage: {prompt: 7, completion: 5, total: 12},
    reasons: ['tool_calls', 'stop'],
    tools: ['get weather; now', '天気']
  }
  const text = modelFactsText(facts)
  t.match(text, /^[\x21-\x7e]+$/, 'as a header takes it')
  t.strictSame(modelFactsIn(text), facts)
  const none = {model: '', usage: undefined, reasons: [], tools: []}
  t.strictSame(modelFactsIn(modelFactsText(none)), none)
})

t.test('half a character, as a provider may send it in JSON, is the sign for one that cannot be read', async t => {
  const half = JSON.parse(String.raw`"a\ud83db"`) as string
  const text = modelFactsText({model: half, usage: undefined, reasons: [half], tools: [half, 'b']})
  const read = 'a\ufffdb'
  t.strictSame(modelFactsIn(text), {model: read, usage: undefined, reasons: [read], tools: [read, 'b']})
})
