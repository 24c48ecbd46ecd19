import {execFileSync} from 'node:child_process'
import {mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {mock} from 'node:test'
import t, {type Test} from 'tap'
import {Recordings, withoutDay} from '../../../../../src/dapr/components/conversation/recordings.ts'
import type {LanguageModel, ModelQuestion} from '../../../../../src/dapr/components/language-model.ts'
import {componentResource} from '../../../../rig/component-resource.ts'
import {openComponent} from '../../../../rig/open-component.ts'

const question = (text: string, more: Partial<ModelQuestion> = {}): ModelQuestion => ({
  messages: [{role: 'user', texts: [text], calls: [], resultOf: undefined}],
  tools: [],
  toolChoice: '',
  temperature: undefined,
  responseFormat: undefined,
  metadata: {},
  keepPromptMs: 0,
  isAnswerScrubbed: false,
  ...more
})

const {signal} = new AbortController()

const open = async (t: Test, folder: string, isReplayed: boolean, type = 'conversation.echo'): Promise<LanguageModel> =>
  openComponent(t, new Recordings(folder).opener(componentResource('llm', type, {}), isReplayed), {})

const textOf = async (model: LanguageModel, asked: ModelQuestion): Promise<string> =>
  (await model.converse(asked, signal)).choices[0]?.text ?? ''

t.test('answers are recorded in lines, and given back without the model', async t => {
  const folder = t.testdir()
  const model = await open(t, folder, false)
  await textOf(model, question('one'))
  await textOf(model, question('jane@example.com', {isAnswerScrubbed: true}))
  const file = readFileSync(join(folder, 'conversations/llm.jsonl'), 'utf8')
  t.equal(
    file.split('\n')[0],
    '{"model":"","messages":[{"user":"one"}],"answer":{"choices":[{"reason":"stop","text":"one","calls":[]}],"usage":{"completion":1,"prompt":1,"total":2}}}'
  )
  t.match(file, '"text":"<EMAIL_ADDRESS>"')
  const replayed = await open(t, folder, true)
  t.equal(await textOf(replayed, question('one')), 'one')
  await t.rejects(textOf(replayed, question('one!')), {
    name: 'FinalError',
    message:
      'conversations/llm.jsonl has no answer to this: {"user":"one!"}; nearest is line 1, where messages[0] is {"user":"one"}, and not {"user":"one!"}; "conversation: {llm: record}" in the template asks the model, and adds its answer'
  })
  await t.rejects(textOf(replayed, question('one', {temperature: 1})), {
    message: /nearest is line 1, where temperature is nothing, and not 1;/
  })
})

const line = (text: string, answer: string): string =>
  `${JSON.stringify({model: '', messages: [{user: text}], answer: {choices: [{reason: 'stop', text: answer, calls: []}]}})}\n`

t.test('one question, several answers: in order, and from the first again; recording replaces them', async t => {
  const folder = t.testdir({conversations: {'llm.jsonl': line('a', '1') + line('b', 'x') + line('a', '2')}})
  const replayed = await open(t, folder, true)
  const told: string[] = []
  for (const text of ['a', 'b', 'a', 'a']) told.push(await textOf(replayed, question(text)))
  t.strictSame(told, ['1', 'x', '2', '1'])
  const model = await open(t, folder, false)
  await textOf(model, question('a'))
  await textOf(model, question('c'))
  await textOf(model, question('a'))
  const lines = readFileSync(join(folder, 'conversations/llm.jsonl'), 'utf8').trim().split('\n')
  t.strictSame(
    lines.map(each => {
      const {messages, answer} = JSON.parse(each) as {messages: object[]; answer: {choices: {text: string}[]}}
      return [messages[0], answer.choices[0]?.text]
    }),
    [
      [{user: 'a'}, 'a'],
      [{user: 'a'}, 'a'],
      [{user: 'b'}, 'x'],
      [{user: 'c'}, 'c']
    ]
  )
})

t.test('replay needs no key; the model is the one that would be asked', async t => {
  const answer = {choices: [{reason: 'stop', text: 'yes', calls: []}]}
  const folder = t.testdir({
    conversations: {'llm.jsonl': `${JSON.stringify({model: 'gpt-5-nano', messages: [{user: 'a'}], answer})}\n`}
  })
  const model = await open(t, folder, true, 'conversation.openai')
  t.equal(model.model, 'gpt-5-nano')
  t.equal(await textOf(model, question('a')), 'yes')
})

t.test('a file that is missing, or has a bad line, keeps the component from opening, with its place', async t => {
  const folder = t.testdir()
  await t.rejects(open(t, folder, true), {message: /^conversations\/llm\.jsonl is not there: run once with "record"/})
  mkdirSync(join(folder, 'conversations'))
  const path = join(folder, 'conversations/llm.jsonl')
  for (const [text, message] of [
    ['\n{', /^this line is no JSON/],
    ['\n[]', 'this line has no list "messages"'],
    ['\n{"messages":[]}', /^this line has no "answer"/],
    ['\n{"messages":[],"answer":{"choices":[{"text":1}]}}', /^this line has no "answer"/]
  ] as const) {
    writeFileSync(path, text)
    for (const isReplayed of [true, false])
      await t.rejects(open(t, folder, isReplayed), {message, place: {file: path, line: 2}})
  }
})

t.test('what was recorded on one day is given back on another', async t => {
  const folder = t.testdir()
  const today = new Date().toLocaleDateString('en-US', {year: 'numeric', month: 'long', day: 'numeric'})
  await textOf(await open(t, folder, false), question(`Date:\n${today}`))
  const path = join(folder, 'conversations/llm.jsonl')
  t.match(readFileSync(path, 'utf8'), '"user":"Date:\\n<today>"')
  t.equal(await textOf(await open(t, folder, true), question(`Date:\n${today}`)), `Date:\n${today}`)
})

t.test('a question is of the day on which it was asked, however late its answer comes', async t => {
  const folder = t.testdir()
  const evening = new Date('2026-03-04T12:00:00Z')
  mock.timers.enable({apis: ['Date'], now: evening})
  t.teardown(() => mock.timers.reset())
  const model = await open(t, folder, false)
  const answered = textOf(model, question('Date: 2026-03-04'))
  mock.timers.setTime(evening.getTime() + 86_400_000)
  await answered
  t.equal(await textOf(await open(t, folder, true), question('Date: 2026-03-05')), 'Date: 2026-03-04')
})

t.test('the nearest question has the line of the file, blank ones included', async t => {
  const folder = t.testdir({conversations: {'llm.jsonl': `\n${line('a', '1')}\n\n${line('bcd', '2')}`}})
  const model = await open(t, folder, true)
  await t.rejects(textOf(model, question('bce')), {message: /nearest is line 5, where/})
})

t.test('what somebody edits in the file while a run records is kept; over a mistake nothing is written', async t => {
  const folder = t.testdir()
  const path = join(folder, 'conversations/llm.jsonl')
  const model = await open(t, folder, false)
  await textOf(model, question('a'))
  writeFileSync(path, readFileSync(path, 'utf8').replace('"text":"a"', '"text":"edited"'))
  await textOf(model, question('b'))
  t.match(readFileSync(path, 'utf8'), /"text":"edited".*\n.*"text":"b"/)
  writeFileSync(path, '')
  await textOf(model, question('c'))
  t.notMatch(readFileSync(path, 'utf8'), 'edited', 'as git restore leaves it')
  const broken = `${readFileSync(path, 'utf8')}{"model": \n`
  writeFileSync(path, broken)
  for (const text of ['d', 'e'])
    await t.rejects(textOf(model, question(text)), {
      message: /^the answer could not be recorded in conversations\/llm\.jsonl, line 2: this line is no JSON/
    })
  t.equal(readFileSync(path, 'utf8'), broken)
  writeFileSync(path, line('x', 'y'))
  await textOf(model, question('f'))
  t.match(readFileSync(path, 'utf8'), /"text":"y".*\n.*"text":"f"/)
})

t.test('a recording that is a pipe or a device is refused, and not read', async t => {
  const folder = t.testdir({conversations: {}})
  const path = join(folder, 'conversations/llm.jsonl')
  execFileSync('mkfifo', [path])
  await t.rejects(open(t, folder, true), {message: /it is a named pipe, not a regular file/})
  const other = t.testdir({conversations: {}})
  symlinkSync('/dev/zero', join(other, 'conversations/llm.jsonl'))
  await t.rejects(open(t, other, true), {message: /it is a device, not a regular file/})
})

t.test('where the file cannot be written whole, nothing of it is left beside it', async t => {
  const path = join(t.testdir(), 'llm.jsonl')
  const program = `
    import {Tape} from '${join(import.meta.dirname, '../../../../../src/dapr/components/conversation/tape.ts')}'
    const tape = Tape.read(process.argv[1], 'llm.jsonl', false)
    const answer = {choices: [{reason: 'stop', text: 'x'.repeat(5000), calls: []}]}
    await tape.add({model: '', messages: []}, answer).catch(error => console.log(error.message))
  `
  const words = ['-c', 'ulimit -f 1; exec "$@"', 'sh', process.execPath, '--input-type=module', '-e', program, path]
  t.match(execFileSync('sh', words).toString(), /^the answer could not be recorded in llm\.jsonl: EFBIG/)
  t.same(readdirSync(join(path, '..')), [])
})

t.test('a file whose keys a program has sorted has the same questions', async t => {
  const said = {
    answer: {choices: [{calls: [], reason: 'stop', text: '2'}]},
    messages: [{of: {id: '', name: 'add'}, tool: '2'}],
    model: ''
  }
  const folder = t.testdir({conversations: {'llm.jsonl': `${JSON.stringify(said)}\n`}})
  const asked = question('', {messages: [{role: 'tool', texts: ['2'], calls: [], resultOf: {name: 'add', id: ''}}]})
  t.equal(await textOf(await open(t, folder, true), asked), '2')
  await textOf(await open(t, folder, false), asked)
  t.equal(readFileSync(join(folder, 'conversations/llm.jsonl'), 'utf8').split('\n').length, 2, 'recorded in its place')
})

t.test('the date of the day is one word, and other dates stay', async t => {
  const withoutToday = withoutDay(new Date('2026-11-22T12:00:00Z'))
  for (const [text, kept] of [
    ["Today's date is: November 22, 2026\n", "Today's date is: <today>\n"],
    ['22 November 2026, Nov 22, 2026', '<today>, <today>'],
    ['on 2026-11-22.', 'on <today>.'],
    ['at 2026-11-22T20:25:28.420000+00:00 or 2026-11-22 20:25', 'at <today> or <today>'],
    ['2026-11-23 and November 21, 2026', '2026-11-23 and November 21, 2026'],
    ['12026-11-22', '12026-11-22']
  ] as const)
    t.equal(withoutToday(text), kept)
})

t.test('as programs write it: with a weekday, a day of two digits, or no comma', async t => {
  const withoutToday = withoutDay(new Date('2026-12-05T12:00:00Z'))
  for (const [text, kept] of [
    ["Today's date is: December 05, 2026", "Today's date is: <today>"],
    ['December 5, 2026, 05 December 2026', '<today>, <today>'],
    ['Saturday, December 05, 2026; Sat, 5 Dec 2026; Sat Dec 05 2026', '<today>; <today>; <today>'],
    ['It is Saturday 2026-12-05 12:00.', 'It is <today>.'],
    ['Friday, December 15, 2026; December 6, 2026', 'Friday, December 15, 2026; December 6, 2026']
  ] as const)
    t.equal(withoutToday(text), kept)
})

t.test('in September, and with a time behind it', async t => {
  const withoutToday = withoutDay(new Date('2026-09-05T12:00:00Z'))
  for (const text of [
    '5 Sep 2026',
    '5 Sept 2026',
    'Sep 05, 2026',
    '05 September 2026',
    'Saturday, September 5, 2026 12:00',
    'Sat, 05 Sep 2026 12:00:00'
  ])
    t.equal(withoutToday(`It is ${text}.`), 'It is <today>.', text)
  t.equal(withoutToday(new Date('2026-09-05T12:00:00Z').toUTCString()), '<today> GMT')
})
