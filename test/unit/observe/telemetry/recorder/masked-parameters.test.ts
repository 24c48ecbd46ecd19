import t from 'tap'
import {Masking} from '../../../../../src/observe/telemetry/recorder/masking.ts'

const masking = new Masking()

t.test('JSON in a parameter, as it is or encoded, also twice, or within an address', async t => {
  const secret = '{"filter":{"password":"s3cr3t"}}'
  const plain = '{"filter":{"code":"NOT_FOUND"}}'
  const shown = (value: string): string => masking.target(`/items?q=${value}&n=1`)
  const once = encodeURIComponent(secret)
  const twice = encodeURIComponent(once)
  for (const value of [secret, once, twice, encodeURIComponent(`/x?q=${once}`), encodeURIComponent(`[${secret}]`)])
    t.equal(shown(value), `/items?q=<masked, ${value.length} characters>&n=1`)
  const cut = encodeURIComponent(secret.slice(0, -5))
  t.notMatch(shown(cut), 's3cr3t', 'a part of it')
  for (const value of [plain, encodeURIComponent(plain)]) t.equal(shown(value), `/items?q=${value}&n=1`)
  const form = masking.body(Buffer.from(`q=${once}`), 'application/x-www-form-urlencoded').toString()
  t.equal(form, `q=<masked, ${once.length} characters>`)
})

// an hour, if each doubled it
t.test('addresses and JSON, each within the other, take no longer with each', async t => {
  let value = '[x'
  for (let depth = 0; depth < 25; depth++) value = `[?a=${encodeURIComponent(value)}`
  const text = `/items?q=${encodeURIComponent(value)}`
  t.equal(masking.target(text), text)
})

t.test('forms whose writer has escaped nothing, and what is called a form and is none, and vice versa', async t => {
  const [form, json] = ['application/x-www-form-urlencoded', 'application/json']
  const bodies: readonly (readonly [body: string, type: string, masked: string])[] = [
    ['user=a&password=correct horse', form, 'user=a&password=<masked, 13 characters>'],
    ['payload={"a": "x?", "token": "y"}&n=1', form, 'payload=<masked, 25 characters>&n=1'],
    ['payload={"a": "x?"}&n=1', form, 'payload={"a": "x?"}&n=1'],
    ['{"user": "a", "password": "b"}', form, '{"user":"a","password":"<masked, 1 characters>"}'],
    ['{"user": "a", "password": "b', form, '{"user": "a", "password": "<masked, 1 characters>"'],
    ['[0][password]=a b&n=1', form, '[0][password]=<masked, 3 characters>&n=1'],
    ['user=a&password=b', json, 'user=a&password=<masked, 1 characters>']
  ]
  for (const [body, type, masked] of bodies) t.equal(masking.body(Buffer.from(body), type).toString(), masked)
  for (const piece of ['a', 'a=', '=', '&', '[='])
    t.equal(masking.body(Buffer.from(piece.repeat(500_000)), form).length, piece.length * 500_000, 'in no time')
})

t.test('words of a name behind an acronym, and other words for a secret', async t => {
  for (const name of ['OTPCode', 'PINCode', 'cardCVVValue', 'JWTPayload', 'passcode', 'userPassCode', 'totp', 'X-Totp'])
    t.equal(masking.isSecret(name, 'a1'), true, name)
  for (const name of ['OPTIONSList', 'SPINCount', 'PinnedItems', 'BypassCodec', 'HTTPPort', 'mappings'])
    t.equal(masking.isSecret(name, 'a1'), false, name)
})

t.test('passwords of databases and mail servers by the names that their variables have', async t => {
  for (const name of ['DB_PASS', 'SMTP_PASS', 'dbPass', 'user-pass', 'ADMIN_PW', 'REDIS_AUTH', 'basic_auth'])
    for (const value of ['hunter2', 'hunter'])
      t.equal(masking.named(name, value), `<masked, ${value.length} characters>`, `${name}=${value}`)
  for (const name of ['pass', 'bypass', 'compass', 'pass_through', 'passRate', 'author', 'unpwned'])
    t.equal(masking.named(name, 'hunter'), 'hunter', name)
  t.equal(masking.text('DB_PASS=hunter DB_USER=me'), 'DB_PASS=<masked, 6 characters> DB_USER=me')
})

t.test('what the user has masked stays so in an entry that it names', async t => {
  const masked = new Masking(['name', 'Key', 'value'])
  for (const field of ['name', 'Name', 'key', 'value'])
    t.equal(masked.text(`{"${field}":"Bob"}`), `{"${field}":"<masked, 3 characters>"}`)
  t.equal(masked.text('{"key":"abc","value":"Bob"}').match(/masked/g)?.length, 2)
})

t.test('a header that the user has masked is so on a line of its own, too', async t => {
  const shown = new Masking(['x-email']).text('GET /?a=b HTTP/1.1\nX-Email: a@b.c\nX-Name: abc')
  t.equal(shown, 'GET /?a=b HTTP/1.1\nX-Email: <masked, 5 characters>\nX-Name: abc')
})

t.test('the header of a command is masked once, whatever it is called', async t => {
  const masked = new Masking()
  const shown = (header: string): string => masked.command(['curl', '-H', header])[2] ?? ''
  for (const header of [
    'Token: Bearer abcdef',
    'apikey: Basic abcdef',
    'X-Api-Key: abcdef',
    'Authorization: Bearer abcdef'
  ])
    t.notMatch(shown(header), 'abcdef')
  for (const header of ['Token: Bearer <masked, 3 characters>', 'Cookie: <masked, 3 characters>', 'prompt_tokens: 5'])
    t.equal(shown(header), header)
})

t.test('the password of an address that is a segment of a path, which is encoded or not', async t => {
  const shown = (target: string): string => masking.head(`GET ${target} HTTP/1.1`)
  t.equal(
    shown('/v1.0/invoke/https%3A%2F%2Fada%3Apw%2B1%40x%3A8080/method/a%40b%3Ac'),
    'GET /v1.0/invoke/https%3A%2F%2Fada%3A<masked, 6 characters>%40x%3A8080/method/a%40b%3Ac HTTP/1.1'
  )
  t.match(masking.text('of https%3a%2f%2fada%3apw1%40x'), 'ada%3a<masked, 3 characters>%40x')
  t.equal(
    shown('/v1.0/invoke/https://ada:pw1@x/method/y'),
    'GET /v1.0/invoke/https://ada:<masked, 3 characters>@x/method/y HTTP/1.1'
  )
  // as Go and Python encode it by default, and of a name that is an address of mail
  for (const [before, behind] of [
    ['https:%2F%2Fada:', '@x:8080'],
    ['https%3A//ada%3A', '%40x%3A8080'],
    ['https%3A%2F%2Fada%252Bb%2540corp%3A', '%40x'],
    ['https://ada%40corp:', '@x'],
    ['https://ada@corp:', '@x']
  ])
    t.equal(shown(`/invoke/${before}pw1${behind}/y`), `GET /invoke/${before}<masked, 3 characters>${behind}/y HTTP/1.1`)
  for (const same of `/a%40b /https:%2F%2Fx:8080 /https%3A//ada%40x /https%3A%2F%2Fx%3A8080%2F /https%3A%2F%2Fada%40x /a%3Ab%40c`.split(
    /\s+/
  ))
    t.equal(shown(same), `GET ${same} HTTP/1.1`)
  for (const piece of ['%3A%2F%2F', '://a@', ':%2F%2Fa%40', '%3A//'])
    for (const text of [`${piece.repeat(20_000)}${'%3Aa'.repeat(20_000)}@`, `@${piece.repeat(20_000)}`])
      t.ok(masking.target(text).length > 0, 'in no time')
})
