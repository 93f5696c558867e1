// SPDX-License-Identifier: Apache-2.0
// A command of a reverse relay's core as text, to be compared with what was expected:
//
//      send 7 new_connection\r\n     close 7      refuse 3 TEXT     reset 3
//      join 3 4                      end 3        report lost 7 pair 0 waiting 2 sessions 1
//
// A report has what is not zero of its refusal, count, waiting_count and session_count.
#pragma once

#include "revtun/revtun_command.h"

enum { REVTUN_TEXT_MAX = 700 }; // bytes, with the terminator

void revtun_text_write(char text[REVTUN_TEXT_MAX], const struct revtun_command *command);
