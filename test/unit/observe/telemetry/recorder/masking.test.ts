import t from 'tap'
import {Masking} from '../../../../../src/observe/telemetry/recorder/masking.ts'

const masking = new Masking(['X-Customer'])
const json = (text: string): string => masking.body(Buffer.from(text), 'application/json').toString()

t.test('headers: known names, names with a secret word, and further names', async t => {
  const head =
    'GET /x?access_token=abc&page=2 HTTP/1.1\r\nAuthorization: Bearer abc\r\nX-API-Key: 12\r\nx-customer: Ada\r\nAccept: */*'
  t.equal(
    masking.head(head),
    'GET /x?access_token=<masked, 3 characters>&page=2 HTTP/1.1\r\nAuthorization: <masked, 10 characters>\r\nX-API-Key: <masked, 2 characters>\r\nx-customer: <masked, 3 characters>\r\nAccept: */*'
  )
  t.equal(masking.head('GET / HTTP/1.1\r\nidempotency-key: 7'), 'GET / HTTP/1.1\r\nidempotency-key: 7', 'no secret')
  t.equal(
    masking.head('HTTP/1.1 200 OK\nSet-Cookie: a=1\nX-Api-Key:\n a:1\nServer: x'),
    'HTTP/1.1 200 OK\r\nSet-Cookie: <masked, 3 characters>\r\nX-Api-Key: <masked, 3 characters>\r\nServer: x',
    'whatever ends its lines, and where a value is on two'
  )
  t.equal(
    masking.head('HTTP/1.1 200 OK\r\nSet-Cookie : a=1'),
    'HTTP/1.1 200 OK\r\nSet-Cookie: <masked, 3 characters>',
    'a blank before the colon'
  )
})

t.test('addresses in headers: their queries, fragments, path segments, passwords, addresses within them', async t => {
  const shown = (line: string): string => masking.head(`GET / HTTP/1.1\r\n${line}`).split('\r\n')[1] ?? ''
  t.equal(
    shown('Location: https://idp.example/cb?code=S3cr3tC0de77&state=ok#access_token=abc&n=1'),
    'Location: https://idp.example/cb?code=<masked, 12 characters>&state=ok#access_token=<masked, 3 characters>&n=1'
  )
  t.equal(shown('Referer: https://x/y?a=1&token=z'), 'Referer: https://x/y?a=1&token=<masked, 1 characters>')
  t.equal(shown('refresh: 0;url=/x?token=z'), 'refresh: 0;url=/x?token=<masked, 1 characters>')
  t.equal(shown('Location: /x;jsessionid=A1?b=2'), 'Location: /x;jsessionid=<masked, 2 characters>?b=2')
  t.equal(shown('Location: https://ada:pw1@x/y'), 'Location: https://ada:<masked, 3 characters>@x/y')
  t.equal(
    shown('Location: /login?next=%2Fcb%3Fcode%3DS3cr3t77&x=%2Fy%3Fa%3D1'),
    'Location: /login?next=<masked, 23 characters>&x=%2Fy%3Fa%3D1'
  )
  t.equal(shown('Content-Type: text/html; charset=utf-8'), 'Content-Type: text/html; charset=utf-8')
  const deep = '?a='.repeat(20_000) + '%25'.repeat(20_000) + '://'.repeat(20_000)
  t.equal(masking.target(deep), deep, 'in no time')
  const nested = `${'{"a":'.repeat(20_000)}{"token":"abc"}${'}'.repeat(20_000)}`
  t.match(masking.text(nested), '{"token":"<masked, 3 characters>"}')
})

t.test('a text of JSON that is an address', async t => {
  t.equal(
    json('{"url":"https://x/cb?code=a1b2c3&n=1","text":"a?code=a1b2c3"}'),
    '{"url":"https://x/cb?code=<masked, 6 characters>&n=1","text":"a?code=a1b2c3"}'
  )
  t.equal(json('{"url":"/cb?token=abc","cut":"'), '{"url":"/cb?token=<masked, 3 characters>","cut":"')
})

t.test('JSON: at any depth, whatever the value is; the rest stays to the byte', async t => {
  t.equal(json('{ "a" : 1 }'), '{ "a" : 1 }')
  t.equal(
    json('{"user":{"password":"x\\"y","tokens":["a","b"]},"secret":7,"n":null}'),
    '{"user":{"password":"<masked, 3 characters>","tokens":"<masked, 9 characters>"},"secret":"<masked, 1 characters>","n":null}'
  )
  t.equal(
    json('{"id":12345678901234567890,"price":0.1,"secret":-98765432109876543210}'),
    '{"id":12345678901234567890,"price":0.1,"secret":"<masked, 21 characters>"}'
  )
  t.equal(json('[{"apiKey":"k"}]'), '[{"apiKey":"<masked, 1 characters>"}]')
})

t.test('short words are secret as a whole word of a name; code, where it is no name or number of an error', async t => {
  t.equal(
    masking.target('/cb?code=4/P7q7W91a&sig=x%3D&pin=12&shipping=2&design=3&state=ok'),
    '/cb?code=<masked, 10 characters>&sig=<masked, 4 characters>&pin=<masked, 2 characters>&shipping=2&design=3&state=ok'
  )
  t.equal(
    json('{"code":"NOT_FOUND","n":{"code":404},"errorCode":"ERR_X","pass":true,"userPin":1234,"connectionString":"a"}'),
    '{"code":"NOT_FOUND","n":{"code":404},"errorCode":"ERR_X","pass":true,"userPin":"<masked, 4 characters>","connectionString":"<masked, 1 characters>"}'
  )
  t.equal(
    json('{"code":"a1b2","ssn":"1-2","cut":"'),
    '{"code":"<masked, 4 characters>","ssn":"<masked, 3 characters>","cut":"'
  )
  t.equal(
    masking
      .body(Buffer.from('client_assertion=x&credentials=y&code=9f8e7d'), 'application/x-www-form-urlencoded')
      .toString(),
    'client_assertion=<masked, 1 characters>&credentials=<masked, 1 characters>&code=<masked, 6 characters>'
  )
})

t.test('JSON that was cut: as far as it is there', async t => {
  t.equal(json('{"token":"abcdef","rest":"xy'), '{"token":"<masked, 6 characters>","rest":"xy')
  t.equal(json('{"a":1,"token":"abc'), '{"a":1,"token":"<masked, 3 characters>"')
  for (const block of ['{"value":"hunter2","n":[1,"}"]}', '["hunter2",{"a":"x"}]']) {
    t.match(json(`{"credentials":${block},"rest":"xy`), /^\{"credentials":"<masked, \d+ characters>","rest":"xy$/)
    t.match(json(`{"credentials":${block.slice(0, -4)}`), /^\{"credentials":"<masked, \d+ characters>"$/)
  }
  t.equal(json('{"secret":true,"keys":null,"rest":"xy'), '{"secret":true,"keys":null,"rest":"xy')
  t.equal(json('{"links":["/plain","/x?token=abc","/y'), '{"links":["/plain","/x?token=<masked, 3 characters>","/y')
  t.notMatch(json(String.raw`{"next":"https:\/\/a.de\/x?token=hunter2","rest":"xy`), /hunter2/)
  t.notMatch(json(String.raw`{"next":"https://a.de/x?a=1\u0026token=hunter2","rest":"xy`), /hunter2/)
  t.equal(json('{"a":1,"url":"amqp://ada:hunter2'), '{"a":1,"url":"amqp://ada:<masked, 7 characters>')
  t.equal(json('{"url":"https://ada:12hunter#2'), '{"url":"https://ada:<masked, 10 characters>')
  t.notMatch(json(String.raw`{"url":"https:\/\/ada:hunter2`), /hunter2/)
  t.notMatch(json(String.raw`{"log":"{\"url\":\"https://ada:hunter2`), /hunter2/)
  for (const harmless of [
    String.raw`{"next":"https://a.de/x?a=1\u0026b=2","rest":"xy`,
    '{"url":"http://shop:808',
    '{"url":"http://shop:8080/x:y',
    '{"url":"http://shop:80?x:y'
  ])
    t.equal(json(harmless), harmless)
})

t.test('forms, and bodies of other kinds', async t => {
  const form = masking.body(Buffer.from('name=a&password=b%20c'), 'application/x-www-form-urlencoded; charset=utf-8')
  t.equal(form.toString(), 'name=a&password=<masked, 5 characters>')
  for (const cut of ['https://ada:hunter2', 'https%3A%2F%2Fada%3Ahunter2', 'https%3A%2F%2Fada%3Ahunter2%4'])
    t.notMatch(masking.body(Buffer.from(`a=1&url=${cut}`), 'application/x-www-form-urlencoded').toString(), /hunter2/)
  const port = Buffer.from('url=http://[::1]:8080')
  t.equal(masking.body(port, 'application/x-www-form-urlencoded').toString(), port.toString(), 'no password')
  const bytes = Buffer.from([0, 255, 34, 58])
  t.equal(masking.body(bytes, 'application/octet-stream'), bytes)
  t.equal(
    masking.body(Buffer.from('{"token":"a"}'), '').toString(),
    '{"token":"<masked, 1 characters>"}',
    'without a type'
  )
})

t.test('a body that is made to be slow to read is read at once', async t => {
  const evil = Buffer.from(`{${'"a\\'.repeat(100_000)}`)
  t.equal(masking.body(evil, 'application/json').length, evil.length)
})

t.test('counts of tokens are no secrets, tokens are', async t => {
  const masking = new Masking()
  const shown = (value: object): string =>
    masking.body(Buffer.from(JSON.stringify(value)), 'application/json').toString()
  const counts = '{"prompt_tokens":12,"completionTokens":"34","max_tokens":2048}'
  t.equal(shown(JSON.parse(counts) as object), counts)
  t.notMatch(shown({tokens: 'abc-1234567', token: 12, refresh_tokens: '1234567890123'}), /abc|12,|123456/)
})

t.test('short words are secret as whole words of a name, however it is written', async t => {
  for (const word of ['sig', 'pin', 'ssn', 'otp', 'cvv', 'cvc', 'pwd', 'jwt']) {
    const capital = word.charAt(0).toUpperCase() + word.slice(1)
    for (const name of [
      word,
      word.toUpperCase(),
      `x-${word}`,
      `${word}_2`,
      `user${capital}`,
      `user${word.toUpperCase()}`
    ])
      t.ok(masking.isSecret(name, 'abc'), name)
    for (const name of [`a${word}`, `${word}x`]) t.notOk(masking.isSecret(name, 'abc'), name)
  }
})

t.test('words: pairs, flags, addresses and fields of JSON, however quoted; what is masked stays so', async t => {
  const texts: readonly (readonly [text: string, masked: string])[] = [
    ["host=db password='a b' user=me", 'host=db password=<masked, 3 characters> user=me'],
    ['Server=db;Password="a ;b";Database=x', 'Server=db;Password=<masked, 4 characters>;Database=x'],
    [String.raw`"Password=\"a ;b\";Database=x"`, '"Password=<masked, 4 characters>;Database=x"'],
    ['host:6380,password=abc,ssl=True', 'host:6380,password=<masked, 3 characters>,ssl=True'],
    ['AccountKey=abc==;EndpointSuffix=y', 'AccountKey=<masked, 5 characters>;EndpointSuffix=y'],
    ['psql --token abc --port 1', 'psql --token <masked, 3 characters> --port 1'],
    ['[error] amqp://me:p#ss@mq failed', '[error] amqp://me:<masked, 4 characters>@mq failed'],
    [String.raw`took {\"token\":\"a\\\"b\",\"n\":1}`, String.raw`took {\"token\":\"<masked, 6 characters>\",\"n\":1}`],
    ['{"a":{"pin":12}}', '{"a":{"pin":"<masked, 2 characters>"}}'],
    ['password=$PASSWORD', 'password=$PASSWORD']
  ]
  for (const [text, wanted] of texts) {
    t.equal(masking.text(text), wanted)
    t.equal(masking.text(wanted), wanted)
  }
  t.same(masking.command(['node', '--token', 'abc', '--api-key=d', '-v', 'x']), [
    'node',
    '--token',
    '<masked, 3 characters>',
    '--api-key=<masked, 1 characters>',
    '-v',
    'x'
  ])
  t.same(masking.command(['curl', '-H', 'X-Api-Key: abc', '--header', 'Accept: abc']), [
    'curl',
    '-H',
    '<masked, 14 characters>',
    '--header',
    'Accept: abc'
  ])
  t.equal(
    masking.json({path: '/x?token=abc', all: [{failure: 'password=abc'}], body: 'password=abc'}),
    '{"path":"/x?token=<masked, 3 characters>","all":[{"failure":"password=<masked, 3 characters>"}],"body":"password=abc"}'
  )
  for (const piece of ['a=', '"', '\\', "token='", '"token":"', '--token ', '://a:', 'token= '])
    t.ok(masking.text(piece.repeat(20_000)).length > 0, 'in no time')
})

t.test('JSON in a header and in a text of JSON', async t => {
  const inner = JSON.stringify({token: 'a"b', n: 1})
  t.equal(
    masking
      .head(`GET / HTTP/1.1\r\nx-context: ${inner}\r\nbaggage: userToken=abc,n=1`)
      .split('\r\n')
      .slice(1)
      .join('|'),
    'x-context: {"token":"<masked, 4 characters>","n":1}|baggage: userToken=<masked, 3 characters>,n=1'
  )
  t.equal(
    json(JSON.stringify({log: inner})),
    JSON.stringify({log: JSON.stringify({token: '<masked, 3 characters>', n: 1})})
  )
  t.notMatch(json(`${JSON.stringify({log: inner}).slice(0, -1)},"rest":"xy`), /a\\*"b/, 'also where it is cut')
})

t.test('what is no secret stays: the line after a flag, a port before a query, names; deep JSON', async t => {
  for (const text of [
    'command: dotnet run --no-session\nappPort: 5000',
    'GET http://localhost:3000?user=me@example.com failed',
    'http://localhost:3000#me@home',
    'http://[::1]:3000?user=me@example.com'
  ])
    t.equal(masking.text(text), text)
  const job = {id: 'import?session=7', parent: {app: 'shop', id: 'key=5'}, name: 'app/shop/key=5'}
  t.equal(masking.json(job), JSON.stringify(job), 'it is asked for by its id or name')
  const deep = '?a='.repeat(20_000) + '%25'.repeat(20_000) + '://'.repeat(20_000)
  t.equal(masking.target(deep), deep, 'in no time')
  const nested = `${'{"a":'.repeat(20_000)}{"token":"abc"}${'}'.repeat(20_000)}`
  t.match(masking.text(nested), '{"token":"<masked, 3 characters>"}')
})

t.test('names of secrets and of what is none, as programs have them', async t => {
  const secret =
    'pass_word pass-phrase basicAuth httpAuth CONN_STR connStr conn_string ConnectionStrings:Default ConnectionStrings__Shop ' +
    'code_verifier codeVerifier _csrf csrf wifi_psk dbCreds bearer cvv2 cardCvc2 AWS_SECRET_ACCESS_KEY SharedAccessSignature ' +
    'X-Amz-Credential Ocp-Apim-Subscription-Key x-functions-key spring.datasource.password _authToken Set-Cookie COOKIE'
  const plain =
    'passport_number compass author authority isAuthenticated authMethod connectionStrategy cookieConsent creditLimit verified ' +
    'bearing description traceparent completion_tokens_details promptTokensDetails'
  for (const name of secret.split(' ')) t.ok(masking.isSecret(name, 'hunter2'), name)
  for (const name of plain.split(' ')) t.notOk(masking.isSecret(name, 'hunter2'), name)
})

t.test('what a model says of its tokens stays', async t => {
  const usage = {
    prompt_tokens: 19,
    prompt_tokens_details: {cached_tokens: 0},
    completion_tokens_details: {reasoning_tokens: 7},
    promptTokensDetails: [{modality: 'TEXT', tokenCount: 4}],
    totalTokenCount: 33
  }
  t.equal(json(JSON.stringify({usage})), JSON.stringify({usage}))
  t.equal(masking.named('anthropic-ratelimit-tokens-remaining', '1000'), '1000')
})

t.test('tokens behind their scheme, and objects as languages show them', async t => {
  const secret = 'hunter2Xy9'
  const texts = [
    `Authorization=Bearer ${secret}`,
    `x-a=1,authorization="Basic ${secret}"`,
    `curl -H "Authorization: Bearer ${secret}" localhost`,
    `invalid token: bearer ${secret}`,
    `{'user': 'ada', 'password': '${secret}'}`,
    `got { user: 'ada', password: '${secret}' }`,
    `{:user=>"ada", :password=>"${secret}"}`,
    `User { Name = ada, Password = ${secret} }`
  ]
  for (const text of texts) {
    const masked = masking.text(text)
    t.equal(masked.replace(/<masked, (?:10|17|16) characters>/, '*').includes('masked'), false, masked)
    t.notMatch(masked, secret)
    t.equal(masking.text(masked), masked)
  }
  t.same(masking.command(['curl', '-H', `Authorization: Bearer ${secret}`]), [
    'curl',
    '-H',
    'Authorization: Bearer <masked, 10 characters>'
  ])
  for (const text of [
    `Server=db;User Id=ada;Password=${secret};`,
    `AccountName=shop;AccountKey=${secret}==`,
    `Endpoint=x;SharedAccessKey=${secret}`,
    `Bearer ${secret}`
  ]) {
    t.notMatch(json(JSON.stringify({value: text})), secret, text)
    t.notMatch(
      json(`${JSON.stringify({headers: ['Authorization', `Bearer ${secret}`]}).slice(0, -2)},"x`),
      secret,
      'cut'
    )
  }
  for (const text of [
    'Bearer error="invalid_token"',
    'Basic authentication is off, use bearer tokens',
    "unknown key: 'name'",
    "no such token: 'x' (a key = 5)",
    'Authorization: Bearer $TOKEN'
  ])
    t.equal(masking.text(text), text)
  for (const piece of ['Bearer ', "'a': '", '{a: ', 'Basic aaaaaaaa', "{ a: '"])
    t.ok(masking.text(piece.repeat(20_000)).length > 0, 'in no time')
})

t.test('a header in the text of a command; the value beside the name of a setting', async t => {
  const masked = new Masking()
  const texts: readonly (readonly [string, string])[] = [
    [`curl -H 'X-Api-Key: abc d' x`, `curl -H 'X-Api-Key: <masked, 5 characters>' x`],
    [`curl --header="Cookie: a=b; c=d" x`, `curl --header="Cookie: <masked, 8 characters>" x`],
    ['curl -HX-Api-Key:abc x', 'curl -HX-Api-Key:<masked, 3 characters> x'],
    [
      String.raw`{"command":"curl -H \"X-Api-Key: abc\""}`,
      String.raw`{"command":"curl -H \"X-Api-Key: <masked, 3 characters>\""}`
    ],
    [String.raw`run "curl -H \"X-Api-Key: abc\""`, String.raw`run "curl -H \"X-Api-Key: <masked, 3 characters>\""`],
    ['X-Api-Key: abc', 'X-Api-Key: <masked, 3 characters>'],
    [
      '> GET / HTTP/1.1\n> x-api-key: abc d\r\n> Accept: a',
      '> GET / HTTP/1.1\n> x-api-key: <masked, 5 characters>\r\n> Accept: a'
    ],
    ['< Set-Cookie: a=b; Path=/', '< Set-Cookie: <masked, 11 characters>'],
    ['Authorization: token abc', 'Authorization: <masked, 9 characters>'],
    [
      String.raw`send: b'GET / HTTP/1.1\r\nX-Api-Key: abc\r\nHost: x\r\n'`,
      String.raw`send: b'GET / HTTP/1.1\r\nX-Api-Key: <masked, 3 characters>\r\nHost: x\r\n'`
    ],
    ['header: Set-Cookie: a=b; Path=/', 'header: Set-Cookie: <masked, 11 characters>'],
    ['* [HTTP/2] [1] [x-api-key: abc]', '* [HTTP/2] [1] [x-api-key: <masked, 4 characters>'],
    ['\tX-Session-Id:abc', '\tX-Session-Id:<masked, 3 characters>'],
    ['> token: abc', '> token: <masked, 3 characters>'],
    ['X-AuthToken: abc', 'X-AuthToken: <masked, 3 characters>'],
    ['Session-Id: abc', 'Session-Id: <masked, 3 characters>'],
    ['X-GitHub-OTP: 123456', 'X-GitHub-OTP: <masked, 6 characters>'],
    ['X-Hub-Signature-256: sha256=abc', 'X-Hub-Signature-256: <masked, 10 characters>'],
    [
      String.raw`at "GET / HTTP/1.1\r\nCookie: a=\"b\"; sid=abc\r\nHost: x"`,
      String.raw`at "GET / HTTP/1.1\r\nCookie: <masked, 16 characters>\r\nHost: x"`
    ],
    [
      String.raw`{"request":"GET / HTTP/1.1\r\nX-Api-Key: abc\r\n"}`,
      String.raw`{"request":"GET / HTTP/1.1\r\nX-Api-Key: <masked, 3 characters>\r\n"}`
    ],
    [
      String.raw`{"output":"> GET /x?token=abc HTTP/1.1\n> Host: x"}`,
      String.raw`{"output":"> GET /x?token=<masked, 3 characters> HTTP/1.1\n> Host: x"}`
    ],
    ['session-store: no answer from "redis"', 'session-store: no answer from "redis"'],
    ['token-service: a=b', 'token-service: a=b'],
    ['X-Api-Key: $KEY', 'X-Api-Key: $KEY'],
    ['Idempotency-Key: abc', 'Idempotency-Key: abc'],
    ['pressed key: abc', 'pressed key: abc'],
    [`curl -H 'Accept: abc' x`, `curl -H 'Accept: abc' x`],
    ['[{"name":"redisPassword","value":"abc"}]', '[{"name":"redisPassword","value":"<masked, 3 characters>"}]'],
    [
      'at {"name": "redisPassword", "value": "abc"} end',
      'at {"name": "redisPassword", "value": "<masked, 3 characters>"} end'
    ],
    [
      String.raw`at "{\"name\":\"redisPassword\",\"value\":\"abc\"}"`,
      String.raw`at "{\"name\":\"redisPassword\",\"value\":\"<masked, 3 characters>\"}"`
    ],
    ['[{"Key":"apiToken","Value":"abc"}]', '[{"Key":"apiToken","Value":"<masked, 3 characters>"}]'],
    ['[{"key":"order_1","value":"abc"}]', '[{"key":"order_1","value":"abc"}]'],
    ['{"name":"password","value":"password"}', '{"name":"password","value":"<masked, 8 characters>"}'],
    ['{"key":"abc","values":"d"}', '{"key":"<masked, 3 characters>","values":"d"}'],
    ['{"key":"a b","value":"d"}', '{"key":"<masked, 3 characters>","value":"d"}'],
    ['{"name":"redisHost","value":"abc"}', '{"name":"redisHost","value":"abc"}'],
    ['{"name":"Monkey","value":7}', '{"name":"Monkey","value":7}'],
    ['at {"name": "Monkey", "value": 7}', 'at {"name": "Monkey", "value": 7}'],
    ['at {"name": "no such key", "value": "abc"}', 'at {"name": "no such key", "value": "abc"}']
  ]
  for (const [text, wanted] of texts) {
    t.equal(masked.text(text), wanted)
    t.equal(masked.text(wanted), wanted)
  }
  for (const piece of [`-H '`, '-H "a: ', '"name":"a","value":', '-H a:', 'a-key: ', 'a-', 'a-key:\n', '* [', '\n \t'])
    t.ok(masked.text(piece.repeat(20_000)).length > 0, 'in no time')
})
