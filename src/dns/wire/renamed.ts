import type { Question } from '../zone.ts';
import { isName, splitName } from './name.ts';
import { MessageWriter } from './writer.ts';

/** Type and class behind the name of a question. */
const TYPE_AND_CLASS_BYTES = 4;
const MAX_NAME_BYTES = 255;

/** The same question about another name, on behalf of the same client; undefined for what is no name. */
export function renamed(question: Question, asked: string): Question | undefined {
  if (!isName(asked)) return undefined;
  const tail = question.bytes.subarray(question.bytes.length - TYPE_AND_CLASS_BYTES);
  const writer = new MessageWriter(MAX_NAME_BYTES);
  writer.name(asked);
  const labels = splitName(asked).map((label) => label.toLowerCase());
  const bytes = Buffer.concat([writer.finish(), tail]);
  return { ...question, bytes, labels, name: labels.join('.'), asked };
}
