// Pins the context commands to docker 28.2.2: contexts that one of both stores must be of use to the other.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { CONTEXT_GOLDEN, runGantry, STORIES, type StoryOutcome, tellStory } from './support/context-stories.ts';

const golden = JSON.parse(readFileSync(CONTEXT_GOLDEN, 'utf8')) as Readonly<Record<string, StoryOutcome>>;

for (const story of STORIES) {
  test(`context ${story}`, async () => {
    assert.deepEqual(await tellStory(runGantry, story), golden[story]);
  });
}
