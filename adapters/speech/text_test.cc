#include <gtest/gtest.h>

#include "adapters/speech/model_dir.h"
#include "adapters/speech/transcript_guard.h"
#include "adapters/speech/words.h"

namespace hansard::speech {
namespace {

std::string times(const std::string& phrase, int n) {
  std::string out;
  for (int i = 0; i < n; ++i) out += (i == 0 ? "" : " ") + phrase;
  return out;
}

TEST(TranscriptGuard, LeavesSpeechAlone) {
  EXPECT_EQ(clean_text("  No, no,\n no, no.  Thank you. "), "No, no, no, no. Thank you.");
  EXPECT_EQ(clean_text("some words words words words words and that's all"), "some words words words words words and that's all");
  EXPECT_EQ(clean_text("\xE4\xBD\xA0\xE5\xA5\xBD"), "\xE4\xBD\xA0\xE5\xA5\xBD");
}

TEST(TranscriptGuard, CutsARepeatedTail) {
  EXPECT_EQ(clean_text("We meet again " + times("on Monday,", 12)), "We meet again on Monday,");
  EXPECT_EQ(clean_text("I think " + times("so", 40)), "I think so");
  EXPECT_EQ(clean_text("It is " + times("at the end of the day", 6)), "It is at the end of the day");
}

TEST(TranscriptGuard, NothingButALoopOrPunctuationIsNothing) {
  EXPECT_EQ(clean_text(times("you", 30)), "");
  EXPECT_EQ(clean_text(times("Thank you.", 9)), "");
  EXPECT_EQ(clean_text(" . ... - "), "");
  EXPECT_EQ(clean_text(""), "");
}

TEST(TranscriptGuard, MakesValidUtf8) { EXPECT_EQ(clean_text("caf\xC3 yes"), "caf\xEF\xBF\xBD yes"); }

TEST(Words, JoinsPiecesAndGivesTimes) {
  const TokenTime tokens[] = {{"<|en|>", 0},
                              {"\xE2\x96\x81"
                               "Hel",
                               0.5, -1, 0},
                              {"lo", 0.7, -1, 0},
                              {",", 0.9, -1, 0},
                              {" Ada", 1.5, 1.9, 0}};
  const auto words = words_from_tokens(tokens, 2.0);
  ASSERT_EQ(words.size(), 2U);
  EXPECT_EQ(words[0].text, "Hello,");
  EXPECT_DOUBLE_EQ(words[0].start_s, 0.5);
  EXPECT_DOUBLE_EQ(words[0].end_s, 1.5);
  EXPECT_DOUBLE_EQ(*words[0].confidence, 1.0);
  EXPECT_EQ(words[1].text, "Ada");
  EXPECT_DOUBLE_EQ(words[1].end_s, 1.9);
}

TEST(Words, ALastWordDoesNotReachOverASilence) {
  const TokenTime tokens[] = {{"\xE2\x96\x81one", 0.2}, {"\xE2\x96\x81two", 5.0}};
  const auto words = words_from_tokens(tokens, 9.0);
  ASSERT_EQ(words.size(), 2U);
  EXPECT_DOUBLE_EQ(words[0].end_s, 0.8);
  EXPECT_DOUBLE_EQ(words[1].end_s, 5.6);
  EXPECT_FALSE(words[0].confidence);
}

ModelKind kind(const std::string& dir, const std::vector<std::string>& files) {
  const auto m = detect_model(dir, files);
  EXPECT_TRUE(m) << (m ? "" : m.error().detail);
  return m ? m->kind : ModelKind::kTelespeechCtc;
}

TEST(ModelDir, TellsPublishedFoldersApart) {
  EXPECT_EQ(kind("/m/moonshine-tiny-en", {"encoder_model.ort", "decoder_model_merged.ort", "tokens.txt", "tokenizer.bin"}),
            ModelKind::kMoonshine);
  EXPECT_EQ(kind("/m/sherpa-onnx-moonshine-base-en-int8",
                 {"cached_decode.int8.onnx", "encode.int8.onnx", "preprocess.onnx", "tokens.txt", "uncached_decode.int8.onnx"}),
            ModelKind::kMoonshineFourFiles);
  EXPECT_EQ(kind("/m/sherpa-onnx-whisper-base",
                 {"base-decoder.int8.onnx", "base-decoder.onnx", "base-encoder.int8.onnx", "base-tokens.txt"}),
            ModelKind::kWhisper);
  EXPECT_EQ(kind("/m/sherpa-onnx-nemo-parakeet-tdt-0.6b-v3-int8",
                 {"encoder.int8.onnx", "decoder.int8.onnx", "joiner.int8.onnx", "tokens.txt"}),
            ModelKind::kTransducer);
  EXPECT_EQ(kind("/m/sherpa-onnx-streaming-zipformer-en-2023-06-26",
                 {"encoder-epoch-99-avg-1-chunk-16-left-128.onnx", "decoder-epoch-99-avg-1-chunk-16-left-128.onnx",
                  "joiner-epoch-99-avg-1-chunk-16-left-128.onnx", "tokens.txt"}),
            ModelKind::kStreamingTransducer);
  EXPECT_EQ(
      kind("/m/sherpa-onnx-nemo-canary-180m-flash-en-es-de-fr-int8", {"encoder.int8.onnx", "decoder.int8.onnx", "tokens.txt"}),
      ModelKind::kCanary);
  EXPECT_EQ(kind("/m/sherpa-onnx-sense-voice-zh-en-ja-ko-yue-2024-07-17/", {"model.int8.onnx", "model.onnx", "tokens.txt"}),
            ModelKind::kSenseVoice);
  EXPECT_EQ(kind("/m/sherpa-onnx-nemo-ctc-en-conformer-small", {"model.onnx", "tokens.txt"}), ModelKind::kNemoCtc);
}

TEST(ModelDir, PrefersInt8AndFindsEachFile) {
  const auto m =
      detect_model("/m/sherpa-onnx-whisper-tiny.en", {"tiny.en-decoder.int8.onnx", "tiny.en-decoder.onnx",
                                                      "tiny.en-encoder.int8.onnx", "tiny.en-encoder.onnx", "tiny.en-tokens.txt"});
  ASSERT_TRUE(m);
  EXPECT_EQ(m->encoder, "/m/sherpa-onnx-whisper-tiny.en/tiny.en-encoder.int8.onnx");
  EXPECT_EQ(m->decoder, "/m/sherpa-onnx-whisper-tiny.en/tiny.en-decoder.int8.onnx");
  EXPECT_EQ(m->tokens, "/m/sherpa-onnx-whisper-tiny.en/tiny.en-tokens.txt");
  EXPECT_TRUE(m->english_only);
  EXPECT_FALSE(
      detect_model("/m/sherpa-onnx-nemo-canary-180m-flash-en-es-de-fr-int8", {"encoder.onnx", "decoder.onnx", "tokens.txt"})
          ->english_only);
}

TEST(ModelDir, SaysWhatIsMissing) {
  EXPECT_NE(detect_model("/m/x", {"encoder.onnx", "decoder.onnx"}).error().detail.find("tokens.txt"), std::string::npos);
  EXPECT_NE(detect_model("/m/x", {"tokens.txt"}).error().detail.find("encoder and decoder"), std::string::npos);
  EXPECT_NE(detect_model("/m/x", {"tokens.txt", "model.onnx"}).error().detail.find("published name"), std::string::npos);
  EXPECT_EQ(read_model_dir("/nonexistent/folder").error().code, ErrorClass::kNotFound);
}

}  // namespace
}  // namespace hansard::speech
