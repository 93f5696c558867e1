// SPDX-License-Identifier: Apache-2.0
// The option that was perhaps meant by a name that no option has.
#pragma once

#include "base/bytes.h"
#include "conf/conf_option.h"

// The option with the least edit distance to `name`, or NULL when none is near: more than two
// steps, or more than a third of the name. Case does not count, nor an underscore for a dash.
const struct conf_option *conf_suggest(const struct conf_table *table, struct bytes name);
