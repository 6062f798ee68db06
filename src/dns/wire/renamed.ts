import type { Question } from '../zone.ts';
import { TYPE_AND_CLASS_BYTES } from './message.ts';
import { isName, MAX_NAME, splitName } from './name.ts';
import { MessageWriter } from './writer.ts';

/** The same question about another name, on behalf of the same client; undefined for an invalid name. */
export function renamed(question: Question, asked: string): Question | undefined {
  if (!isName(asked)) return undefined;
  const tail = question.bytes.subarray(question.bytes.length - TYPE_AND_CLASS_BYTES);
  const writer = new MessageWriter(MAX_NAME);
  writer.name(asked);
  const labels = splitName(asked).map((label) => label.toLowerCase());
  const bytes = Buffer.concat([writer.finish(), tail]);
  return { ...question, bytes, labels, name: labels.join('.'), asked };
}
