import t from 'tap'
import {Prompt} from '../../../../src/clients/cli/live/prompt.ts'
import {widthOf} from '../../../../src/clients/cli/width.ts'

const shown = (text: string, width: number): string => {
  const prompt = new Prompt('which?', () => undefined)
  prompt.insert(text)
  return prompt.shown(width)
}

t.test('of a text that is too long the end is shown, whatever its characters', async t => {
  t.equal(shown('abc', 10), 'which? abc')
  t.equal(shown('abcd', 10), '…ich? abcd')
  t.equal(shown('abcdefghijkl', 10), '…defghijkl')
  t.equal(shown('漢字漢字漢字', 10), '…漢字漢字')
  t.ok(widthOf(shown('👩‍👩‍👧'.repeat(20), 10)) <= 10)
})

t.test('a long text that is pasted is shown at once: measured character by character it took minutes', async t => {
  const prompt = new Prompt('which?', () => undefined)
  prompt.insert('漢'.repeat(100_000))
  t.equal(prompt.shown(9), '…漢漢漢漢')
})
