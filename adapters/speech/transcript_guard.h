#pragma once
// Recognizers sometimes answer noise, or the end of an utterance, with one phrase over and over. Such text is worse than
// none: it is cut here.
#include <string>
#include <string_view>

namespace hansard::speech {

/// The text as it may be shown: valid UTF-8, white space single, and a phrase of at most eight words that is repeated at
/// the end more than people do cut down to one. Empty when nothing but repetition or no letter or digit is left.
std::string clean_text(std::string_view text);

}  // namespace hansard::speech
