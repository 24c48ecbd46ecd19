import t from 'tap'
import {debuggerPorts} from '../../../../src/supervisor/messages/port-hint.ts'

t.test('ports of debuggers and of JMX are known by a command or a variable', async t => {
  for (const [text, ...ports] of [
    ['java -agentlib:jdwp=transport=dt_socket,server=y,suspend=n,address=5005 -jar app.jar', 5005],
    ['mvn spring-boot:run -Dspring-boot.run.jvmArguments="-Xrunjdwp:server=y,address=*:28055"', 28055],
    ['java -agentlib:jdwp=address=127.0.0.1:5006,server=y Main 8080', 5006],
    ['java -Dcom.sun.management.jmxremote.port=9010 -Dcom.sun.management.jmxremote.rmi.port=9011 Main', 9010, 9011],
    ['node --inspect app.js', 9229],
    ['node --inspect-brk=0.0.0.0:9230 app.js --port=3000', 9230],
    ['python3 -m debugpy --listen 5678 app.py', 5678],
    ['dlv debug --headless --listen=:2345 --continue', 2345],
    ['node --inspector-off app.js --listen 3000']
  ] as const)
    t.same(debuggerPorts(text), ports, text)
})

t.test('a word of 100,000 letters is read in linear time', async t => {
  for (const word of ['jdwp,', 'dlv ', '--inspect=', 'a:']) {
    const begin = performance.now()
    debuggerPorts(word.repeat(100_000))
    t.ok(performance.now() - begin < 5000, word)
  }
})
