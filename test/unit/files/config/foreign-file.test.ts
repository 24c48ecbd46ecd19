import t, {type Test} from 'tap'
import {UserError} from '../../../../src/model/errors.ts'
import {loadAll, openShop, orders, type Files} from './shop.ts'

async function refusal(test: Test, files: Files, named: readonly string[]): Promise<UserError> {
  try {
    await loadAll(openShop(test, orders(), files), {named})
  } catch (error) {
    if (error instanceof UserError) return error
    throw error
  }
  throw new Error('the template was accepted')
}

t.test('the file of another tool is told as such, with the way to a template', async t => {
  const services = 'services:\n  web: {image: nginx}\n'
  const files = {
    'stack.yml': services,
    'quoted.yml': `version: '3.8'\n${services}`,
    'plain.yml': `version: 3.8\n${services}`,
    'pc.yaml': 'version: "0.5"\nprocesses:\n  web: {command: x}\n'
  }
  const table: readonly (readonly [file: string, message: string, line: number, what: string])[] = [
    ['stack.yml', "required field 'version' not found", 1, 'a compose file'],
    ['quoted.yml', 'cannot unmarshal !!str `3.8` into int', 2, 'a compose file'],
    ['plain.yml', 'No apps to run', 2, 'a compose file'],
    ['pc.yaml', 'cannot unmarshal !!str `0.5` into int', 2, 'a process-compose file']
  ]
  for (const [file, message, line, what] of table) {
    const {message: told, stream, explanation, mistakes} = await refusal(t, files, [file])
    t.match(told, message, `${file}: Dapr's words stay`)
    t.equal(stream, 'stdout')
    const key = what === 'a compose file' ? 'services:' : 'processes:'
    t.equal(
      explanation,
      `${file}:${line}:1\n${key}\n${'^'.repeat(key.length - 1)}\nthis is ${what}, not a template\nwrite a template from it: pillion import ${file}`
    )
    t.match(mistakes, [{place: {file, line}, hint: `write a template from it: pillion import ${file}`}])
  }
  const own = await refusal(t, {'dapr.yaml': services}, ['.'])
  t.match(own.explanation, /\ncall it compose\.yaml, and write a template from it: pillion import$/)
  const second = await refusal(t, files, ['.', 'quoted.yml'])
  t.match(second.explanation, /^quoted\.yml:2:1\nservices:\n/)
})

t.test('a template with a key of that name stays one', async t => {
  const {message, explanation} = await refusal(t, {'dapr.yaml': `services: {}\n${orders('appPort: x')}`}, ['.'])
  t.match(message, 'cannot unmarshal !!str `x` into int')
  t.notMatch(explanation, 'compose')
  const old = await refusal(t, {'dapr.yaml': orders().replace('1', '"1.0"')}, ['.'])
  t.match(old.explanation, /\nwrite version: 1$/)
})

t.test('the command to type quotes a name with a blank', async t => {
  const {explanation} = await refusal(t, {'my stack.yml': 'services:\n  web: {image: nginx}\n'}, ['my stack.yml'])
  t.match(explanation, /pillion import 'my stack\.yml'$/)
})
