import t from 'tap'
import {open} from '../../../../src/dapr/components/secrets/local-file.ts'
import {openComponent} from '../../../rig/open-component.ts'

t.test('a number is what the file has, also beyond 2^53', async t => {
  const folder = t.testdir({'secrets.json': '{"guild": 1234567890123456789, "list": [{"of": 5}]}'})
  const secrets = await openComponent(t, open, {secretsFile: 'secrets.json'}, {folder})
  t.same(await secrets.get('guild'), {guild: '1234567890123456789'})
  t.same(await secrets.get('list:0:of'), {'list:0:of': '5'})
})

t.test('what is wrong with a file of secrets is told without them', async t => {
  for (const text of [
    '{"password": hunter2}',
    `{"a": "${'x'.repeat(100)}", "password": hunter2, "b": "y"}`,
    'hunter2'
  ]) {
    const folder = t.testdir({'secrets.json': text})
    const message = `${folder}/secrets.json cannot be read: Unexpected token 'h' is not valid JSON`
    await t.rejects(openComponent(t, open, {secretsFile: 'secrets.json'}, {folder}), {message}, text)
  }
})
