import {mock} from 'node:test'
import t from 'tap'
import {following, type WrittenPiece, WholeLines, type Writer} from '../../../../src/observe/logging/open-line.ts'
import {prefixed} from '../../../../src/model/text-lines.ts'

const A: Writer = {prefix: 'A: '}
const B: Writer = {prefix: 'B: '}
const STATUS: Writer = {prefix: ''}
const piece = (writer: Writer, text: string): WrittenPiece => ({writer, text: prefixed(text, writer.prefix)})

/** Each way to cut a text in two, and the text in one. */
const cuts = (text: string): string[][] =>
  Array.from({length: text.length}, (_, at) => (at === 0 ? [text] : [text.slice(0, at), text.slice(at)]))

/** Each order in which two sequences can come. */
function orders<T>(a: readonly T[], b: readonly T[]): T[][] {
  const [firstA, ...restA] = a
  const [firstB, ...restB] = b
  if (firstA === undefined) return [[...b]]
  if (firstB === undefined) return [[...a]]
  return [...orders(restA, b).map(rest => [firstA, ...rest]), ...orders(a, restB).map(rest => [firstB, ...rest])]
}

const TEXT_A = 'a1\na22\n\n'
const TEXT_B = 'b1\nb\n'

const everyOrder = cuts(TEXT_A).flatMap(a =>
  cuts(TEXT_B).flatMap(b =>
    orders(
      a.map(text => piece(A, text)),
      b.map(text => piece(B, text))
    )
  )
)

const squeezed = (text: string): string => text.replaceAll('\n', '')

/** What a destination that cuts lines shows. */
function onConsole(pieces: readonly WrittenPiece[]): string {
  let shown = ''
  let writer: Writer | undefined
  for (const next of pieces) {
    shown += following({isOpen: shown !== '' && !shown.endsWith('\n'), writer}, next)
    writer = next.writer
  }
  return shown
}

t.test('on a console, every line is of one writer with its prefix, and no byte is lost, however cut', async t => {
  const wrong = everyOrder.filter(pieces => {
    const lines = onConsole(pieces).split('\n')
    const of = ({prefix}: Writer): string[] => lines.filter(l => l.startsWith(prefix)).map(l => l.slice(prefix.length))
    const isWhole = lines.pop() === '' && lines.every(line => /^[AB]: [^:]*$/.test(line))
    return !isWhole || of(A).join('') !== squeezed(TEXT_A) || of(B).join('') !== squeezed(TEXT_B)
  })
  t.ok(everyOrder.length > 150, `${everyOrder.length} ways`)
  t.same(wrong, [])
})

t.test('on a console, lines that nobody interrupts are whole', async t => {
  for (const parts of cuts(TEXT_A))
    t.equal(onConsole(parts.map(text => piece(A, text))), 'A: a1\nA: a22\nA: \n', JSON.stringify(parts))
})

t.test('on a console, an interrupted line gets a newline and its rest the prefix again', async t => {
  t.equal(onConsole([piece(A, 'lo'), piece(B, 'b\n'), piece(A, 'ng\n')]), 'A: lo\nB: b\nA: ng\n')
  t.equal(onConsole([piece(A, 'lo'), piece(B, 'b'), piece(A, 'ng\n')]), 'A: lo\nB: b\nA: ng\n')
})

t.test('in a file, every line is whole, in the order of its writer, however texts are cut', async t => {
  const wrong = everyOrder.filter(pieces => {
    const file = new WholeLines(() => undefined)
    const text = pieces.map(next => file.take(next)).join('')
    const lines = text.split('\n')
    const of = (writer: Writer): string => lines.filter(line => line.startsWith(writer.prefix)).join('\n')
    return (
      lines.pop() !== '' ||
      lines.length !== 5 ||
      `${of(A)}\n` !== prefixed(TEXT_A, A.prefix) ||
      `${of(B)}\n` !== prefixed(TEXT_B, B.prefix) ||
      file.release() !== ''
    )
  })
  t.same(wrong, [])
})

t.test('in a file, what waits for a line comes in its order, and may open a line itself', async t => {
  const file = new WholeLines(() => undefined)
  t.equal(file.take(piece(A, 'lo')), 'A: lo')
  t.equal(file.take(piece(B, 'b1\nb')), '')
  t.equal(file.take(piece(STATUS, 'ended\n')), '')
  t.equal(file.take(piece(A, 'n')), 'n')
  t.equal(file.take(piece(A, 'g\n')), 'g\nB: b1\nB: b', 'B has the open line now, so the status waits on')
  t.equal(file.take(piece(B, '2\n')), '2\nended\n')
})

t.test('in a file, a line is cut when more than 1 MiB waits for it, and goes on behind its prefix', async t => {
  const file = new WholeLines(() => undefined)
  const full = piece(B, `${'x'.repeat(1024 * 1024 - 4)}\n`)
  t.equal(full.text.length, 1024 * 1024)
  t.equal(file.take(piece(A, 'lo')), 'A: lo')
  t.equal(file.take(full), '', '1 MiB waits')
  t.equal(file.take(piece(B, 'more\n')), `\n${full.text}B: more\n`, 'one more line does not')
  t.equal(file.take(piece(A, 'ng\n')), 'A: ng\n')
  t.equal(file.take(piece(A, 'lo')), 'A: lo')
  t.equal(file.take(full), '', 'the measure starts anew')
})

t.test('in a file, what still waits at the end is released', async t => {
  const file = new WholeLines(() => undefined)
  file.take(piece(A, 'lo'))
  file.take(piece(B, 'b\n'))
  file.take(piece(STATUS, 'ended\n'))
  t.equal(file.release(), '\nB: b\nended\n')
  t.equal(file.release(), '')
  t.equal(file.take(piece(A, '')), '', 'no text is no line')
})

t.test('in a file, what has waited for 5 s is written, though the line is open, as of a progress bar', async t => {
  mock.timers.enable({apis: ['setTimeout']})
  t.teardown(() => mock.timers.reset())
  const late: string[] = []
  const file = new WholeLines(text => void late.push(text))
  t.equal(file.take(piece(A, '45 %')), 'A: 45 %')
  t.equal(file.take(piece(B, 'b1\n')), '')
  mock.timers.tick(4000)
  t.equal(file.take(piece(B, 'b2\n')), '')
  mock.timers.tick(999)
  t.same(late, [])
  mock.timers.tick(1)
  t.same(late, ['\nB: b1\nB: b2\n'])
  t.equal(file.take(piece(A, ' 46 %')), 'A:  46 %')
  t.equal(file.take(piece(B, 'b3\n')), '')
  t.equal(file.take(piece(A, '\n')), '\nB: b3\n')
  mock.timers.tick(5000)
  t.equal(late.length, 1, 'nothing waits')
})
