import t from 'tap'
import {asCommander, inCobrasWords, flagInteger, parseList} from '../../../../src/clients/cli/argv.ts'
import {RUN_ENTRY} from '../../../../src/clients/cli/entries/run.ts'

const port = RUN_ENTRY.flags.find(({name}) => name === 'app-port')
if (!port) throw new Error('no flag app-port')

t.test("pflag's forms of a flag become commander's", async t => {
  const table: readonly (readonly [readonly string[], readonly string[]])[] = [
    [['-p=3000'], ['-p', '3000']],
    [
      ['-p3000', '-p', '3000'],
      ['-p3000', '-p', '3000']
    ],
    [['--kubernetes=false', '--app-id=x'], ['--app-id=x']],
    [['--kubernetes=true'], ['--kubernetes']],
    [['-k=1'], ['--kubernetes']],
    // the last one counts, as where an alias gives the first
    [
      ['--kubernetes', '--kubernetes=false', '-p', '1'],
      ['-p', '1']
    ],
    [['-k=false', '-k'], ['-k']],
    [
      ['-akp', '-k', '-k', '-ka', 'x', '-k=0'],
      ['-akp', '-a', 'x']
    ],
    [
      ['-kp80', '-kp=80', '--kubernetes=false'],
      ['-p80', '-p', '80']
    ],
    // the value of a flag stays as it is
    [['--app-id=false'], ['--app-id=false']],
    [
      ['--app-id', '--kubernetes=false', '-k=1'],
      ['--app-id', '--kubernetes=false', '--kubernetes']
    ],
    [
      ['-wa', '-p=1', '-p=1'],
      ['-wa', '-p=1', '-p', '1']
    ],
    [['-eFOO=bar'], ['-eFOO=bar']],
    [
      ['-weFOO=bar', '-p=1'],
      ['-weFOO=bar', '-p', '1']
    ],
    [['-we=FOO=bar'], ['-we', 'FOO=bar']],
    [
      ['a', '--', '-p=1', '--kubernetes=false'],
      ['a', '--', '-p=1', '--kubernetes=false']
    ]
  ]
  for (const [given, expected] of table) t.same(asCommander(given, RUN_ENTRY.flags), expected, given.join(' '))
})

t.test('a wrong value is refused in the words of Go', async t => {
  t.throws(() => flagInteger(port, 'abc'), {
    message: 'invalid argument "abc" for "-p, --app-port" flag: strconv.ParseInt: parsing "abc": invalid syntax'
  })
  t.throws(() => asCommander(['--kubernetes=maybe'], RUN_ENTRY.flags), {
    message: 'invalid argument "maybe" for "-k, --kubernetes" flag: strconv.ParseBool: parsing "maybe": invalid syntax'
  })
})

t.test('numbers are read as Go reads them', async t => {
  for (const text of ['', '0o', '0b', '08']) t.throws(() => flagInteger(port, text), /invalid syntax/, text)
  for (const [text, value] of [
    ['0', 0],
    ['-1', -1],
    ['010', 8],
    ['0x10', 16],
    ['7001', 7001]
  ] as const)
    t.equal(flagInteger(port, text), value, text)
})

t.test('lists are split at commas and grow with each flag', async t => {
  t.same(parseList('c', parseList('a,b', undefined)), ['a', 'b', 'c'])
})

const words = (code: string, message: string, args: readonly string[]): string =>
  inCobrasWords(code, message, args, 'dapr')

t.test("commander's complaints are told in cobra's words", async t => {
  t.equal(words('commander.unknownOption', "error: unknown option '--flag'", []), 'unknown flag: --flag')
  t.equal(words('commander.unknownOption', "error: unknown option '-zx'", []), "unknown shorthand flag: 'z' in -zx")
  t.equal(
    words('commander.optionMissingArgument', "error: option '-f, --run-file <string>' argument missing", ['run', '-f']),
    "flag needs an argument: 'f' in -f"
  )
  t.equal(
    words('commander.optionMissingArgument', "error: option '-f, --run-file <string>' argument missing", [
      'run',
      '--run-file'
    ]),
    'flag needs an argument: --run-file'
  )
  t.equal(
    words('commander.unknownCommand', "error: unknown command 'runn'\n(Did you mean run?)", ['runn']),
    'unknown command "runn" for "dapr"\n\nDid you mean this?\n\trun\n'
  )
  for (const [word, meant] of Object.entries({kill: 'stop', top: 'ps -w', tail: 'logs -f', watch: 'up --watch'}))
    t.equal(
      words('commander.unknownCommand', `error: unknown command '${word}'\n(Did you mean one of stop, up?)`, [word]),
      `unknown command "${word}" for "dapr"\n\nDid you mean this?\n\t${meant}\n`
    )
})
