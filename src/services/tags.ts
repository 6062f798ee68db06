import type { Snapshot } from '../docker/snapshot.ts';
import { commaList } from './environment.ts';
import { shown } from './meta.ts';
import { taskTag } from './naming/marathon-task.ts';
import type { Note } from './note.ts';
import { TemplateError } from './tag-template/syntax.ts';
import type { TagTemplate } from './tag-template/template.ts';

/** Program settings that add tags to every service. */
export interface CommonTagOptions {
  /** registrator's `-tags`. */
  readonly tagTemplate?: TagTemplate;
  /** `marathon-task:<MESOS_TASK_ID>` for Marathon tasks; default false. */
  readonly taskTags?: boolean;
}

/** Bounds on the tags of one container; Consul itself accepts tags of megabytes. */
const MAX_TAGS = 256;
const MAX_TAG = 4096;

/** The tags of all services of a container. If the template fails for it, only the template's tags are missing. */
export function commonTags(snapshot: Snapshot, options: CommonTagOptions, note: Note): readonly string[] {
  const task = options.taskTags === true ? taskTag(snapshot) : [];
  return [...usableTags(task, 'MESOS_TASK_ID', note), ...templateTags(snapshot, options.tagTemplate, note)];
}

function templateTags(snapshot: Snapshot, template: TagTemplate | undefined, note: Note): readonly string[] {
  if (template === undefined) return [];
  try {
    return usableTags(commaList(template.render(snapshot)), '--tags', note);
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    note(`--tags gives this container no tags: ${error.message}`);
    return [];
  }
}

/** The tags that a registry should hold; `origin` names their source in messages. */
export function usableTags(tags: readonly string[], origin: string, note: Note): string[] {
  const usable: string[] = [];
  for (const tag of tags) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this rejects
    if (tag.length > MAX_TAG || /[\x00-\x1f\x7f]/.test(tag)) {
      note(`${origin}: tag ${JSON.stringify(shown(tag))} is left out: it is too long or not printable`);
    } else {
      usable.push(tag);
    }
  }
  if (usable.length > MAX_TAGS) note(`${origin} has more than ${MAX_TAGS} tags; the rest is left out`);
  return usable.slice(0, MAX_TAGS);
}
