import t from 'tap'
import {envVariables} from '../../../src/model/environment.ts'
import {cpuMs} from '../../rig/cpu-ms.ts'

const read = (text: string): readonly (readonly [string, string])[] => Object.entries(envVariables(text))

t.test('an env file is read as Node reads it', async t => {
  const text = `# comment
A=first # one
export B="two words"
 C = 'a # b'
D=\`x "y" 'z'\`
E="one\\ntwo"
F='one\\ntwo'
G="one
two" # behind
nothing
=x
H=
J="a" b
K=a=b
A=second\r
L="1
2"\r
I="never closed
`
  t.strictSame(read(text), [
    ['A', 'second'],
    ['B', 'two words'],
    ['C', 'a # b'],
    ['D', `x "y" 'z'`],
    ['E', 'one\ntwo'],
    ['F', 'one\\ntwo'],
    ['G', 'one\ntwo'],
    ['H', ''],
    ['J', 'a'],
    ['K', 'a=b'],
    ['L', '1\n2'],
    ['I', '"never closed']
  ])
})

t.test('a value of blanks is empty, and the next line is another variable', async t => {
  t.strictSame(read('A= \nB=2\nC=\t\r\nD=4'), [
    ['A', ''],
    ['B', '2'],
    ['C', ''],
    ['D', '4']
  ])
})

t.test('in double quotes a quote may be escaped, where the last one ends its line', async t => {
  t.strictSame(read('A="{\\"a\\": \\"b\\\\n\\"}"\nB="say \\"hi\\"" # twice\nC=3'), [
    ['A', '{"a": "b\\n"}'],
    ['B', 'say "hi"'],
    ['C', '3']
  ])
  t.strictSame(read('A="C:\\dir\\"\nB="x"\nC="C:\\"'), [
    ['A', 'C:\\dir\\'],
    ['B', 'x'],
    ['C', 'C:\\']
  ])
})

t.test('a long file is read at once', async t => {
  const lines = Array.from({length: 50_000}, (_, at) => `A${at}="x\\"`)
  t.equal(read(lines.join('\n')).length, 50_000)
})

t.test('a quote that is never closed is a part of the value, as is a # behind it', async t => {
  t.strictSame(read("A='tis # here\nB=`x#\nC=1 # one"), [
    ['A', "'tis # here"],
    ['B', '`x#'],
    ['C', '1']
  ])
})

t.test('a line of blanks is read at once', async t => {
  const at = cpuMs()
  t.strictSame(read(`A${' '.repeat(500_000)}\nexport B \t= 1\nexport =2`), [
    ['B', '1'],
    ['export', '2']
  ])
  t.ok(cpuMs() - at < 5000)
})
