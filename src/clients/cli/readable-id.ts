import {randomInt} from 'node:crypto'

const QUALITIES =
  'amber brave brisk calm clever cosy dapper eager early fair fleet fond gentle glad golden hardy honest jolly keen kind lively lucky merry mild noble patient plucky polite proud quick quiet ready rosy shy silver sly snug sober steady sunny swift tidy trusty warm wary wise witty young'.split(
    ' '
  )
const ANIMALS =
  'badger beaver bison bobcat crane curlew deer dipper dormouse eagle egret falcon ferret finch fox gannet goose grouse hare hawk hedgehog heron ibex jackdaw kestrel kite lark linnet lynx magpie marmot marten mole newt otter owl panda pipit plover puffin rabbit raven robin seal shrew sparrow stoat stork swan thrush tortoise vole walrus wren'.split(
    ' '
  )

/** A random id that is easy to say, type and remember, such as `steady-otter`. */
export const readableId = (): string => `${pick(QUALITIES)}-${pick(ANIMALS)}`

const pick = (words: readonly string[]): string => words[randomInt(words.length)] ?? ''
