// SPDX-License-Identifier: Apache-2.0
// RFC 8489 and RFC 8656 over UDP as checks of a server: the door of the room conform.
//
// The room is a table: subjects, each a file, each a list of checks (talk_check.h). It asks what
// the RFCs ask, and no more; what a check expects stands in it in the RFC's own words. To add one,
// write its script and its entry in the file of its subject.
#pragma once

#include "talk/talk_check.h"

// All subjects, in the order in which they are told.
extern const struct talk_subject *const conform_subjects[];
extern const size_t conform_subject_count;

// The check of that id, or NULL.
const struct talk_check *conform_find(const char *id);
// How many checks there are.
size_t conform_count(void);
