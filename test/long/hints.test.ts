import t from 'tap'
import {openRig} from '../rig/rig.ts'

/** Returns the hint behind an error, and the code in its brackets. */
const hintOf = (stderr: string): readonly string[] => /^❌.*\n(.+) \[([a-z-]+)\]\n$/.exec(stderr)?.slice(1) ?? [stderr]

const START = '"pillion up -d" starts'

t.test('without a terminal a hint is one line, has a code, and names commands that return', async t => {
  const rig = await openRig(t)
  const wanted = async (folder: string, args: string, code: string, words: string): Promise<void> => {
    const [hint = '', found] = hintOf((await rig.run(args.split(' '), {folder})).stderr)
    t.equal(found, code, `${args}: ${hint}`)
    t.match(hint, words, args)
    t.notMatch(hint, /pillion up(?! -d)|-f\b.*follows|attach/, args)
    const {stdout, stderr} = await rig.run([...args.split(' '), '--log-as-json'], {folder})
    const {
      status,
      code: inJson,
      hint: whole
    } = JSON.parse(stderr || (stdout.trim().split('\n').at(-1) ?? '')) as Record<string, string>
    t.same([status, inJson, whole], ['failure', code, hint], `${args} as JSON`)
  }
  await rig.write({'none/x': '', 'two/pillion.yaml': 'version: 1\napps: [{id: b, dir: ., command: [sleep, "60"]}]\n'})
  for (const args of ['trace', 'calls', 'url web', 'why', 'restart web', 'invoke -a web -m x', 'fault a b', 'replay 4'])
    await wanted('two', args, 'no-run', START)
  await wanted('none', 'up -d', 'no-template', '"pillion import" writes')
  await wanted('none', 'agent init', 'no-template', 'pillion import writes')
  await wanted('two', 'up -d --only stock', 'no-such-app', 'The apps are: b')
  await wanted('two', 'agent init', 'agree', '--yes writes AGENTS.md')

  await rig.write({'one/pillion.yaml': 'version: 1\napps: [{id: a, dir: ., command: [sleep, "60"]}]\n'})
  await rig.run(['up', '-d', '--name', 'first'], {folder: 'one'})
  await wanted('two', 'trace', 'no-run', `Running elsewhere: ${rig.folder}/one/pillion.yaml`)
  await wanted('one', 'url b', 'no-such-app', 'Running: a')
  await wanted('one', 'trace --name nope', 'no-such-run', 'Running: first')
  await wanted('one', 'up -d --only a', 'run-differs', 'pillion up -d --name NAME starts a second run')
  await wanted('one', 'url a', 'no-port', 'Give it an appPort')
  await wanted('one', 'replay --last-failed', 'not-found', 'pillion calls is:failed')
  await wanted('one', 'trace status:x', 'wrong-value', 'Write status:503')
  await rig.run(['up', '-d', '--name', 'second', '--isolated'], {folder: 'one'})
  await wanted('one', 'trace', 'several-runs', 'Select one with --name first or --name second')
  await rig.run(['down', '--name', 'first'], {folder: 'one'})
  await rig.run(['down', '--name', 'second'], {folder: 'one'})
})
